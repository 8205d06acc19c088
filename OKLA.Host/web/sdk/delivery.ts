import { guard, report } from './guard';
import type { OklaEvent, Options } from './okla';
import { idOf, typeOf, type Queue } from './queue';

/** Browsers let requests outlive their page up to 64 KiB. */
export const mostBytes = 62_000;

const mostEvents = 100;
const pause = 500;
const shortestWait = 1000;
const longestWait = 60_000;
const patience = 30_000;

/** Sends a queue's events until the server has them. */
export function delivery(queue: Queue, options: Options, token: () => string | null, onLoss: (type: string, reason: string) => void) {
  const url = (options.endpoint ?? '/api/events') + (options.key ? `?key=${encodeURIComponent(options.key)}` : '');
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let notBefore = 0;
  let batch = mostEvents;
  let refused: string | null | undefined;

  function schedule(milliseconds = pause): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      flush();
    }, milliseconds);
  }

  /** Sends the next batch. On leaving the page nobody waits for the batch before. */
  function flush(leaving = false): void {
    const wait = notBefore - Date.now();
    if ((queue.flying.size > 0 && !leaving) || navigator.onLine === false || token() === refused) return;
    if (wait > 0) return schedule(wait);
    const sentAt = `,"sentAt":"${new Date().toISOString()}"}`;
    let bytes = 0;
    // Every event is smaller than the limit, so the first one always goes.
    const chosen = queue.waiting().slice(0, batch).filter(([, text]) => (bytes += sizeOf(text) + sentAt.length) < mostBytes);
    if (chosen.length > 0) void send(chosen, `[${chosen.map(([, text]) => text.slice(0, -1) + sentAt)}]`, leaving);
  }

  async function send(chosen: [string, string][], body: string, leaving: boolean): Promise<void> {
    chosen.forEach(([key]) => queue.flying.add(key));
    const proof = token();
    let status = 0;
    let answer: Answer = {};
    let asked = 0;
    try {
      if (leaving && !('keepalive' in Request.prototype)) navigator.sendBeacon(url, body);
      else {
        const response = await fetch(url, {
          method: 'POST',
          // As plain text, so that another site's server need not be asked first whether it may be asked.
          body,
          headers: proof === null ? {} : { Authorization: `Bearer ${proof}` },
          keepalive: true,
          signal: AbortSignal.timeout?.(patience),
        });
        status = response.status;
        asked = secondsOf(response.headers.get('Retry-After'));
        if (response.ok) answer = (await response.json()) as Answer;
      }
    } catch (error) {
      // Not reached, or an answer that broke off: the events are still there.
      report(error);
      status = 0;
    }
    settle(chosen, status, answer, asked, proof);
    chosen.forEach(([key]) => queue.flying.delete(key));
    if (queue.waiting().length > 0) schedule(Math.max(0, notBefore - Date.now()));
  }

  // Nothing in here may throw, or the queue would stand still.
  const settle = guard(settled);

  function settled(chosen: [string, string][], status: number, answer: Answer, asked: number, proof: string | null): void {
    const drop = ([key, text]: [string, string], reason: string) => {
      queue.remove(key);
      onLoss(typeOf(text), reason);
    };

    if (status >= 200 && status < 300) {
      failures = 0;
      batch = mostEvents;
      const taken: OklaEvent[] = [];
      for (const entry of chosen) {
        const outcome = answer.outcomes?.find(({ id }) => id === idOf(entry[0]));
        if (outcome?.status === 'rejected') {
          report(outcome);
          drop(entry, 'rejected');
        } else {
          queue.remove(entry[0]);
          taken.push(JSON.parse(entry[1]) as OklaEvent);
        }
      }
      options.onSent?.(taken);
    } else if ([400, 413, 422].includes(status)) {
      // One of them is at fault: halves find it.
      if (chosen.length > 1) batch = Math.ceil(chosen.length / 2);
      else drop(chosen[0]!, 'rejected');
    } else if (status >= 400 && status < 500 && ![408, 425, 429].includes(status)) {
      refused = proof;
      options.onRefused?.(status);
    } else {
      failures += 1;
      notBefore = Date.now() + pause + asked * 1000 + Math.random() * Math.min(longestWait, shortestWait * 2 ** failures);
    }
  }

  return {
    schedule,
    flush,

    /** To be called when the connection is back: no reason to wait any more. */
    again(): void {
      failures = notBefore = 0;
      flush();
    },
  };
}

interface Answer {
  outcomes?: { id: string; status: string }[];
}

export const sizeOf = (text: string): number => new TextEncoder().encode(text).length;

/** Retry-After in seconds, given as such or as a date. */
const secondsOf = (header: string | null): number => Math.max(0, Number(header) || (Date.parse(header!) - Date.now()) / 1000 || 0);
