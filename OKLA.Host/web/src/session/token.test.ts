import { beforeEach, expect, test, vi } from 'vitest';
import type { SignedIn } from '../api/types';

const answer: SignedIn = { accessToken: 'token', expiresIn: 60, user: { id: 'demo-buyer', name: 'Compradora', role: 'buyer', dealerId: null } };

beforeEach(() => {
  localStorage.clear();
  vi.resetModules();
});

test('A session ends with its token, also over a reload', async () => {
  const before = await import('./token');
  before.keepSession(answer, 1_000);
  expect(before.currentSession(60_999)?.user.id).toBe('demo-buyer');
  expect(before.currentSession(61_000)).toBeNull();

  vi.resetModules();
  const after = await import('./token');
  expect(after.currentSession(60_999)?.accessToken).toBe('token');
});

test('A token that the server refuses signs the visitor out instead of failing for ever', async () => {
  const token = await import('./token');
  const { request } = await import('../api/client');
  token.keepSession(answer);
  let heard = 0;
  token.onSessionChange(() => heard++);
  vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response('{}', { status: 401, headers: { 'Content-Type': 'application/problem+json' } }));
  await expect(request('/api/anything')).rejects.toMatchObject({ status: 401 });
  expect(token.currentSession()).toBeNull();
  expect(heard).toBe(1);
});

test('A refusal in the server’s words reaches the page, and one without words its status', async () => {
  const { request } = await import('../api/client');
  const fetch = vi.spyOn(globalThis, 'fetch');
  fetch.mockResolvedValueOnce(new Response('{"title":"Ocupado","detail":"Vuelve luego"}', { status: 503, headers: { 'Content-Type': 'application/problem+json' } }));
  await expect(request('/api/anything')).rejects.toMatchObject({ status: 503, title: 'Ocupado', detail: 'Vuelve luego' });
  fetch.mockResolvedValueOnce(new Response('<html>', { status: 502, headers: { 'Content-Type': 'text/html' } }));
  await expect(request('/api/anything')).rejects.toMatchObject({ status: 502, title: null });
  fetch.mockRejectedValueOnce(new TypeError('Failed to fetch'));
  await expect(request('/api/anything')).rejects.toMatchObject({ status: 0 });
});
