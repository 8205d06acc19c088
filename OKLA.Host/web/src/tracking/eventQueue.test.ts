import { beforeEach, expect, test } from 'vitest';
import type { EventInput } from '../api/types';
import { EventQueue } from './eventQueue';
import { uuid7 } from './uuid7';

/** A server that answers what the test says, and time that passes when the test says. */
class Fake {
  readonly sent: EventInput[][] = [];
  readonly delays: number[] = [];
  answer = 202;
  private work: (() => void)[] = [];

  now = () => Date.UTC(2026, 0, 1, 12);
  later = (work: () => void, milliseconds: number) => {
    this.delays.push(milliseconds);
    this.work.push(work);
  };
  send = (events: readonly EventInput[]) => {
    this.sent.push([...events]);
    return Promise.resolve(this.answer);
  };

  async pass(): Promise<void> {
    const due = this.work;
    this.work = [];
    due.forEach((work) => work());
    await Promise.resolve();
    await Promise.resolve();
  }
}

const event = (type: string): EventInput => ({ id: uuid7(), type, occurredAt: '2026-01-01T12:00:00Z', anonymousId: 'a' });

beforeEach(() => localStorage.clear());

test('Events go together, oldest first, with the time of sending, and are gone once acknowledged', async () => {
  const outside = new Fake();
  const acknowledged: string[] = [];
  const queue = new EventQueue(outside, (events) => acknowledged.push(...events.map((sent) => sent.type)));
  queue.add(event('first'));
  queue.add(event('second'));
  await outside.pass();
  expect(outside.sent.map((batch) => batch.map((sent) => sent.type))).toEqual([['first', 'second']]);
  expect(outside.sent[0]![0]!.sentAt).toBe('2026-01-01T12:00:00.000Z');
  expect(acknowledged).toEqual(['first', 'second']);
  expect(queue.pending()).toEqual([]);
});

test.each([0, 401, 408, 429, 500, 503])('An answer of %i keeps the events, and they go again with the same ids', async (status) => {
  const outside = new Fake();
  outside.answer = status;
  const queue = new EventQueue(outside);
  queue.add(event('item_viewed'));
  await outside.pass();
  expect(queue.pending()).toHaveLength(1);
  outside.answer = 202;
  await outside.pass();
  expect(outside.sent[1]!.map((sent) => sent.id)).toEqual(outside.sent[0]!.map((sent) => sent.id));
  expect(queue.pending()).toEqual([]);
});

test.each([400, 413, 422])('An answer of %i will not change, so the events are given up', async (status) => {
  const outside = new Fake();
  outside.answer = status;
  const acknowledged: unknown[] = [];
  const queue = new EventQueue(outside, (events) => acknowledged.push(events));
  queue.add(event('item_viewed'));
  await outside.pass();
  expect(queue.pending()).toEqual([]);
  expect(acknowledged).toEqual([]);
});

test('Waiting grows with every failure up to a minute', async () => {
  const outside = new Fake();
  outside.answer = 503;
  const queue = new EventQueue(outside);
  queue.add(event('item_viewed'));
  for (let failure = 0; failure < 9; failure++) await outside.pass();
  const waits = outside.delays.slice(1);
  waits.forEach((wait, failure) => {
    const ceiling = Math.min(60_000, 2000 * 2 ** failure);
    expect(wait).toBeGreaterThanOrEqual(ceiling / 2);
    expect(wait).toBeLessThanOrEqual(ceiling);
  });
});

test('What a closed tab left is sent by the next', async () => {
  const closed = new Fake();
  closed.answer = 0;
  new EventQueue(closed).add(event('contacted'));
  const outside = new Fake();
  await new EventQueue(outside).flush();
  expect(outside.sent.flat().map((sent) => sent.type)).toEqual(['contacted']);
});

test('More than a batch goes in several requests', async () => {
  const outside = new Fake();
  const queue = new EventQueue(outside);
  for (let index = 0; index < 120; index++) queue.add(event('item_viewed'));
  for (let round = 0; round < 5; round++) await outside.pass();
  expect(outside.sent.map((batch) => batch.length)).toEqual([50, 50, 20]);
  expect(queue.pending()).toEqual([]);
});
