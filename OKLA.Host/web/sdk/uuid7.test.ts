import { expect, test } from 'vitest';
import { uuid7 } from './uuid7';

test('An id is a version 7 UUID that begins with its time', () => {
  const now = Date.UTC(2040, 0, 1);
  const id = uuid7(now);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(now);
});

test('Ids of one millisecond, and of a clock that was set back, stay in order and differ', () => {
  const now = Date.UTC(2041, 0, 1);
  const ids = Array.from({ length: 10_000 }, (_, index) => uuid7(index % 3 === 0 ? now - 60_000 : now));
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});
