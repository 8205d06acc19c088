import type { OklaEvent } from './okla';
import { report } from './guard';
import { keys, read, remove, write } from './storage';
import { uuid7 } from './uuid7';

const most = 1000;
const mostCharacters = 1_000_000;

/** Milliseconds after which a tab without a sign of life is gone; browsers let hidden tabs move once a minute. */
const silence = 180_000;

const queued = 'okla.q.';
const growing = 'okla.v.';
const alive = 'okla.t.';

/** What is worth most when something has to go; what is not named is in the middle. */
const worthLittle = /^(page|list)_viewed|_applied$|_impression$/;
const worthMuch = /^favorite|^feedback|^rated$|^contacted|_requested$|^offer|^attended|_application$|_conversion$|^events_dropped/;
const worth = (type: string) => (worthMuch.test(type) ? 2 : worthLittle.test(type) ? 0 : 1);

/**
 * Events of this tab on their way, each under a key of its own: `okla.q.TAB.WORTH.ID`, and `okla.v.…` for one that still grows. Every
 * event has one tab that sends it, so tabs need not agree on anything. A tab holds a lock by its name for as long as it lives; who gets
 * the lock of another tab knows that it is gone and takes its events over.
 */
export function queue(onLoss: (type: string, reason: string) => void, lasting: () => boolean) {
  const tab = uuid7();
  const locks = navigator.locks as LockManager | undefined;
  const flying = new Set<string>();
  let holding = false;
  let release: (() => void) | undefined;

  const keyOf = (room: string, event: OklaEvent) => `${room}${tab}.${worth(event.type)}.${event.id}`;

  // Worth first, then age, because ids begin with their time.
  const byWorth = (a: string, b: string) => (rank(a) < rank(b) ? -1 : 1);

  /** Keeps the whole queue within its bounds. */
  function trim(): void {
    const all = keys(queued).sort(byWorth).map((key) => [key, read(key) ?? ''] as const);
    let characters = all.reduce((sum, [key, text]) => sum + key.length + text.length, 0);
    let count = all.length;
    for (const [key, text] of all) {
      if (count <= most && characters <= mostCharacters) return;
      if (flying.has(key)) continue;
      remove(key);
      count -= 1;
      characters -= key.length + text.length;
      onLoss(typeOf(text), 'queue_full');
    }
  }

  function take(gone: string): void {
    for (const room of [queued, growing])
      for (const key of keys(room + gone)) {
        const text = read(key);
        if (text !== null) write(queued + tab + key.slice((room + gone).length), text);
        remove(key);
      }
    remove(alive + gone);
    trim();
  }

  return {
    flying,

    add(event: OklaEvent): void {
      write(keyOf(queued, event), JSON.stringify(event), lasting());
      remove(keyOf(growing, event));
      trim();
    },

    /** Keeps an event that will still change, for the case that the tab does not live to add it. Not before the others know that it lives. */
    draft(event: OklaEvent): void {
      if (!locks || release) write(keyOf(growing, event), JSON.stringify(event), lasting());
    },

    discard: (event: OklaEvent) => remove(keyOf(growing, event)),

    /** What waits and is not under way, oldest first: keys and JSON. */
    waiting: (): [string, string][] =>
      keys(queued + tab)
        .filter((key) => !flying.has(key))
        .sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1))
        .map((key): [string, string] => [key, read(key) ?? ''])
        .filter(([, text]) => text),

    remove,

    /** Forgets what waits, of all tabs. */
    clear(): void {
      [queued, growing].forEach((room) => keys(room).forEach(remove));
    },

    /** Tells the other tabs that this one lives, and calls `then` when they can know it. */
    hold(then: () => void): void {
      if (!locks) write(alive + tab, `${Date.now()}`);
      else if (!holding) {
        const living = () =>
          new Promise<void>((done) => {
            release = done;
            then();
          });
        locks.request('okla.' + tab, () => holding && living()).catch(report);
      }
      holding = true;
    },

    /** Tells the other tabs that this one is gone, or sleeps; a page that keeps a lock could not be kept for the way back. */
    leave(): void {
      remove(alive + tab);
      holding = false;
      release?.();
    },

    /** Takes over what tabs have left that are gone, and calls `then` for each. */
    adopt(then: () => void): void {
      const others = new Set([queued, growing].flatMap((room) => keys(room).map((key) => key.slice(room.length).split('.')[0]!)));
      others.delete(tab);
      others.forEach((other) => {
        const inherit = () => {
          take(other);
          then();
        };
        if (locks) locks.request('okla.' + other, { ifAvailable: true }, (lock) => lock && inherit()).catch(report);
        else if (Date.now() - Number(read(alive + other)) > silence) inherit();
      });
    },
  };
}

export type Queue = ReturnType<typeof queue>;

const rank = (key: string) => key.slice(key.indexOf('.', queued.length) + 1);
export const idOf = (key: string) => key.slice(key.lastIndexOf('.') + 1);

/** Read without parsing: what lies in storage may have been broken by others. */
export const typeOf = (text: string): string => /"type":"(\w+)"/.exec(text)?.[1] ?? 'unknown';
