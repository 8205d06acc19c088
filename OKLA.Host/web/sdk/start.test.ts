import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Okla, OklaEvent, Options } from './okla';

type Sent = OklaEvent & { sentAt: string };

/** Answers as the server does, unless the test says otherwise. */
class Server {
  readonly requests: { url: string; events: Sent[]; headers: Record<string, string> }[] = [];
  answer: (events: Sent[]) => Response | Promise<Response> = accept;

  readonly fetch = vi.fn((url: string, init: RequestInit) => {
    const events = JSON.parse(init.body as string) as Sent[];
    this.requests.push({ url, events, headers: init.headers as Record<string, string> });
    return Promise.resolve(this.answer(events));
  });

  events = (type?: string): Sent[] => this.requests.flatMap((request) => request.events).filter((event) => type === undefined || event.type === type);
}

const accept = (events: Sent[]) => Response.json({ outcomes: events.map(({ id }) => ({ id, status: 'accepted' })) }, { status: 202 });
const status = (code: number, headers = {}) => () => new Response('{}', { status: code, headers });

/** Locks as the browser's, but of this page alone. */
class Locks {
  readonly held = new Set<string>();
  request = async (name: string, ...rest: unknown[]): Promise<unknown> => {
    const work = rest.pop() as (lock: unknown) => unknown;
    await Promise.resolve();
    if (this.held.has(name)) return work(null);
    this.held.add(name);
    try {
      return await work({});
    } finally {
      this.held.delete(name);
    }
  };
}

let server: Server;
let locks: Locks;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1, 12) });
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  vi.spyOn(document, 'hasFocus').mockReturnValue(true);
  localStorage.clear();
  document.cookie = 'okla.visitor=;max-age=0';
  history.replaceState(null, '', '/');
  server = new Server();
  locks = new Locks();
  vi.stubGlobal('fetch', server.fetch);
  Object.defineProperty(navigator, 'locks', { value: locks, configurable: true });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A page of its own: modules hold what a page would hold. */
async function open(options: Options = {}): Promise<Okla> {
  vi.resetModules();
  const { start } = await import('./start');
  return start({ auto: false, ...options });
}

const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);
const queued = () => Object.keys(localStorage).filter((key) => key.startsWith('okla.q.'));
const signal = (name: 'globalPrivacyControl' | 'doNotTrack', value: unknown) => {
  Object.defineProperty(navigator, name, { value, configurable: true });
  return () => Object.defineProperty(navigator, name, { value: undefined, configurable: true });
};

test('An event goes with its id, its person, its visit, its page and the time of sending', async () => {
  history.replaceState(null, '', '/vehiculos/1?utm_source=instagram&utm_campaign=verano&x=1');
  const okla = await open({ key: 'site key', endpoint: 'https://okla.example/api/events' });
  okla.track('contacted', 'car-1', { channel: 'whatsapp' });
  await pass(500);
  expect(server.requests[0]!.url).toBe('https://okla.example/api/events?key=site%20key');
  expect(server.requests[0]!.headers).toEqual({});
  const [event] = server.events();
  expect(event).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{14}7/) as string,
    type: 'contacted',
    occurredAt: '2026-01-01T12:00:00.000Z',
    sentAt: '2026-01-01T12:00:00.500Z',
    anonymousId: localStorage.getItem('okla.visitor'),
    sessionId: localStorage.getItem('okla.visit')!.split('|')[0],
    itemId: 'car-1',
    context: { consent: 'analytics', page: '/vehiculos/1', language: 'en-US', width: 1024, utm: 'utm_source=instagram&utm_campaign=verano' },
    properties: { channel: 'whatsapp' },
  });
  expect(queued()).toEqual([]);
});

test.each([0, 408, 425, 429, 500, 503])('An answer of %i keeps the events, and they go again with the same ids', async (code) => {
  server.answer = code === 0 ? () => Promise.reject(new TypeError('Failed to fetch')) : status(code);
  const okla = await open();
  okla.track('shared', 'car-1', { channel: 'link' });
  await pass(500);
  expect(queued()).toHaveLength(1);
  server.answer = accept;
  await pass(2000);
  expect(server.events().map((event) => event.id)).toEqual([server.events()[0]!.id, server.events()[0]!.id]);
  expect(queued()).toEqual([]);
});

test('Waiting grows with every failure up to a minute, at random', async () => {
  const random = vi.spyOn(Math, 'random').mockReturnValue(1);
  const okla = await open();
  okla.track('shared', 'car-1');
  const times: number[] = [];
  server.fetch.mockImplementation(() => {
    times.push(Date.now());
    return Promise.resolve(new Response('', { status: 503 }));
  });
  await pass(400_000);
  const waits = times.slice(1).map((time, index) => time - times[index]!);
  expect(waits.slice(0, 7)).toEqual([2500, 4500, 8500, 16_500, 32_500, 60_500, 60_500]);
  random.mockReturnValue(0);
  times.length = 0;
  await pass(70_000);
  expect(times.length).toBeGreaterThan(15);
});

test.each(['30', new Date(Date.UTC(2026, 0, 1, 12, 0, 30, 500)).toUTCString()])('Retry-After %s is waited for', async (header) => {
  server.answer = status(429, { 'Retry-After': header });
  const okla = await open();
  okla.track('shared', 'car-1');
  await pass(500);
  okla.flush();
  await pass(29_000);
  expect(server.requests).toHaveLength(1);
  server.answer = accept;
  await pass(4000);
  expect(server.requests).toHaveLength(2);
});

test('An event that the server rejects is given up and counted; the others of its batch are in', async () => {
  const told: OklaEvent[] = [];
  server.answer = (events) => Response.json({ outcomes: events.map(({ id, type }) => ({ id, status: type === 'bad' ? 'rejected' : 'repeated', field: 'type' })) });
  const okla = await open({ onSent: (events) => told.push(...events) });
  okla.track('bad');
  okla.track('shared', 'car-1');
  await pass(20_000);
  expect(told.map((event) => event.type)).toEqual(['shared', 'events_dropped']);
  expect(server.events('bad')).toHaveLength(1);
  expect(server.events('events_dropped').map((event) => event.properties)).toEqual([{ counts: { bad: 1 }, reasons: { rejected: 1 } }]);
  expect(queued()).toEqual([]);
});

test('A server that does not know how losses are told is not told for ever', async () => {
  server.answer = (events) => Response.json({ outcomes: events.map(({ id }) => ({ id, status: 'rejected' })) });
  const okla = await open();
  okla.track('bad');
  await pass(120_000);
  expect(server.events().map((event) => event.type)).toEqual(['bad', 'events_dropped']);
});

test.each([400, 413, 422])('Where a batch is refused with %i the one at fault is found and given up, and the others go', async (code) => {
  server.answer = (events) => (events.some((event) => event.type === 'bad') ? new Response('', { status: code }) : accept(events));
  const taken: string[] = [];
  const okla = await open({ onSent: (events) => taken.push(...events.map((event) => event.type)) });
  for (let index = 0; index < 9; index++) okla.track(index === 5 ? 'bad' : 'shared', 'car-1');
  await pass(20_000);
  expect(taken).toEqual([...Array<string>(8).fill('shared'), 'events_dropped']);
  expect(queued()).toEqual([]);
});

test.each([401, 403, 404])('An answer of %i stops the sending until there is another token, and loses nothing', async (code) => {
  server.answer = status(code);
  const refused: number[] = [];
  const okla = await open({ onRefused: (answer) => refused.push(answer) });
  okla.identify('user-1', 'old');
  okla.track('shared', 'car-1');
  await pass(300_000);
  expect(refused).toEqual([code]);
  expect(server.requests).toHaveLength(1);
  expect(server.requests[0]!.headers).toEqual({ Authorization: 'Bearer old' });
  server.answer = accept;
  okla.identify('user-1', () => 'new');
  await pass(1000);
  expect(server.requests[1]!.headers).toEqual({ Authorization: 'Bearer new' });
  expect(server.requests[1]!.events[0]!.userId).toBe('user-1');
  expect(queued()).toEqual([]);
});

test('More than a batch goes in several requests, none above what browsers let outlive a page', async () => {
  const okla = await open();
  for (let index = 0; index < 90; index++) okla.track('shared', 'car-1', { text: 'ñ'.repeat(1000) });
  await pass(2000);
  expect(server.events()).toHaveLength(90);
  expect(server.requests.length).toBeGreaterThan(3);
  server.fetch.mock.calls.forEach(([, init]) => expect(new TextEncoder().encode(init.body as string).length).toBeLessThan(64 * 1024));
  expect(new Set(server.events().map((event) => event.id)).size).toBe(90);
});

test('An event too large for any request is given up and counted', async () => {
  const okla = await open();
  okla.track('shared', 'car-1', { text: 'x'.repeat(70_000) });
  await pass(6000);
  expect(server.events().map((event) => event.properties)).toEqual([{ counts: { shared: 1 }, reasons: { too_large: 1 } }]);
});

test('What a tab left that is gone is sent once by the next; what a living tab has is its own', async () => {
  const { queue } = await import('./queue');
  const living = queue(() => {}, () => true);
  living.hold(() => {});
  living.add({ id: '1', type: 'shared', occurredAt: '', context: {}, properties: {} });
  const gone = queue(() => {}, () => true);
  gone.add({ id: '2', type: 'shared', occurredAt: '', context: {}, properties: {} });
  gone.hold(() => {});
  await pass(0);
  gone.draft({ id: '3', type: 'page_viewed', occurredAt: '', context: {}, properties: {} });
  gone.leave();
  await pass(0);
  await open();
  await pass(60_000);
  expect(server.events().map((event) => event.id)).toEqual(['2', '3']);
  living.leave();
  await pass(6000);
  expect(server.events().map((event) => event.id)).toEqual(['2', '3', '1']);
});

test('Without locks a tab is gone after three quiet minutes', async () => {
  Object.defineProperty(navigator, 'locks', { value: undefined, configurable: true });
  const { queue } = await import('./queue');
  const other = queue(() => {}, () => true);
  other.hold(() => {});
  other.add({ id: '1', type: 'shared', occurredAt: '', context: {}, properties: {} });
  await open();
  await pass(170_000);
  expect(server.events()).toEqual([]);
  await pass(20_000);
  expect(server.events().map((event) => event.id)).toEqual(['1']);
});

test('A full queue gives up what is worth least, of that the oldest, and says so', async () => {
  server.answer = status(503);
  const { queue } = await import('./queue');
  const lost: string[] = [];
  const full = queue((type, reason) => lost.push(`${type} ${reason}`), () => true);
  const add = (id: number, type: string) => full.add({ id: String(id).padStart(6, '0'), type, occurredAt: '', context: {}, properties: {} });
  add(0, 'contacted');
  add(1, 'page_viewed');
  add(2, 'item_viewed');
  add(3, 'page_viewed');
  for (let index = 4; index < 1002; index++) add(index, 'favorite_added');
  expect(lost).toEqual(['page_viewed queue_full', 'page_viewed queue_full']);
  add(1002, 'rated');
  add(1003, 'rated');
  expect(lost.slice(2)).toEqual(['item_viewed queue_full', 'contacted queue_full']);
  expect(full.waiting()).toHaveLength(1000);
});

test('The queue holds a megabyte at most', async () => {
  const { queue } = await import('./queue');
  let lost = 0;
  const full = queue(() => lost++, () => true);
  for (let index = 0; index < 60; index++) full.add({ id: String(index).padStart(2, '0'), type: 'shared', occurredAt: '', context: {}, properties: { text: 'x'.repeat(20_000) } });
  expect(full.waiting().reduce((sum, [key, text]) => sum + key.length + text.length, 0)).toBeLessThanOrEqual(1_000_000);
  expect(lost + full.waiting().length).toBe(60);
  expect(lost).toBeLessThan(15);
});

test('Too many at once are counted, with one warning, until it is quiet again', async () => {
  const okla = await open();
  for (let index = 0; index < 150; index++) okla.track('shared', 'car-1');
  await pass(30_000);
  expect(server.events('shared')).toHaveLength(100);
  expect(server.events('rate_limited')).toHaveLength(1);
  expect(server.events('events_dropped').map((event) => event.properties)).toEqual([{ counts: { shared: 50 }, reasons: { rate_limited: 50 } }]);
  for (let index = 0; index < 150; index++) okla.track('shared', 'car-1');
  await pass(30_000);
  expect(server.events('rate_limited')).toHaveLength(2);
});

test('Half an hour of silence begins a new visit, and so does a day', async () => {
  const okla = await open();
  const visit = async (after: number) => {
    await pass(after);
    okla.track('shared', 'car-1');
    await pass(1000);
    return server.events().at(-1)!.sessionId;
  };
  const first = await visit(0);
  expect(await visit(29 * 60_000)).toBe(first);
  const second = await visit(31 * 60_000);
  expect(second).not.toBe(first);
  for (let hours = 0; hours < 23.5; hours += 0.4) expect(await visit(24 * 60_000)).toBe(second);
  await visit(24 * 60_000);
  expect(await visit(24 * 60_000)).not.toBe(second);
});

test('Signing in names the user over a reload; reset forgets who it was', async () => {
  (await open()).identify('user-1');
  const okla = await open();
  const visitor = okla.anonymousId();
  okla.track('shared', 'car-1');
  okla.reset();
  okla.track('shared', 'car-2');
  await pass(1000);
  const [before, after] = server.events();
  expect(before).toMatchObject({ userId: 'user-1', anonymousId: visitor });
  expect(after!.userId).toBeUndefined();
  expect(after!.anonymousId).not.toBe(visitor);
  expect(after!.sessionId).not.toBe(before!.sessionId);
});

test.each([['globalPrivacyControl', true], ['doNotTrack', '1']] as const)('With %s an event only counts, and nothing about the visitor is kept on the device', async (name, value) => {
  const restore = signal(name, value);
  const okla = await open({ consent: 'marketing' });
  okla.identify('user-1');
  okla.track('shared', 'car-1', { channel: 'link' });
  expect(Object.keys(localStorage)).toEqual([]);
  expect(document.cookie).toBe('');
  expect(okla.anonymousId()).toBeNull();
  await pass(1000);
  const [{ id, occurredAt, sentAt, ...rest }] = server.events() as [Sent];
  expect(rest).toEqual({ type: 'shared', itemId: 'car-1', context: { consent: 'necessary' }, properties: { channel: 'link' } });
  expect([id, occurredAt, sentAt]).not.toContain(undefined);
  restore();
});

test('A site may say that the signals do not concern it', async () => {
  const restore = signal('globalPrivacyControl', true);
  const okla = await open({ signals: false });
  okla.track('shared', 'car-1');
  await pass(1000);
  expect(server.events()[0]).toMatchObject({ anonymousId: localStorage.getItem('okla.visitor'), context: { consent: 'analytics' } });
  restore();
});

test('Consent is remembered; without any nothing is recorded, and what waited is gone', async () => {
  const okla = await open();
  okla.track('shared', 'car-1');
  okla.consent('none');
  okla.track('shared', 'car-2');
  await pass(60_000);
  expect(server.events()).toEqual([]);
  expect(Object.keys(localStorage)).toEqual(['okla.consent']);
  (await open({ consent: 'marketing' })).track('shared', 'car-3');
  await pass(60_000);
  expect(server.events()).toEqual([]);
  okla.consent('marketing');
  okla.track('shared', 'car-4');
  await pass(1000);
  expect(server.events()).toMatchObject([{ itemId: 'car-4', context: { consent: 'marketing' } }]);
});

test.each(['setItem', 'nothing'] as const)('Storage that refuses (%s) loses no event and nothing is thrown', async (what) => {
  if (what === 'setItem') vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => { throw new DOMException('full', 'QuotaExceededError'); });
  else vi.spyOn(window, 'localStorage', 'get').mockImplementation(() => { throw new DOMException('denied', 'SecurityError'); });
  server.answer = status(503);
  const okla = await open();
  okla.track('shared', 'car-1');
  await pass(1000);
  server.answer = accept;
  await pass(10_000);
  const requests = server.requests.length;
  await pass(60_000);
  expect(server.requests).toHaveLength(requests);
  expect(new Set(server.events().map((event) => event.id)).size).toBe(1);
  expect(server.events().length).toBeGreaterThan(1);
  expect(document.cookie).toBe(`okla.visitor=${server.events()[0]!.anonymousId}`);
});

test('Nothing that the page does wrong comes back to it', async () => {
  const okla = await open();
  const round: Record<string, unknown> = {};
  round.self = round;
  okla.track('shared', 'car-1', round);
  okla.track('shared', 'car-1', { big: 1n });
  okla.push(['nothing'] as never, ['track', 'shared', 'car-2']);
  okla.push(null as never);
  server.answer = () => { throw new Error('a page that replaced fetch'); };
  await pass(1000);
  server.answer = accept;
  await pass(5000);
  expect(queued()).toEqual([]);
  expect(server.events().at(-1)).toMatchObject({ itemId: 'car-2' });
});
