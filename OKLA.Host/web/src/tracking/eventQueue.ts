import { keys, read, remove, write } from '../storage';
import type { EventInput } from '../api/types';

/** How the queue reaches the outside; tests put their own. */
export interface Outside {
  /** Sends events; answers the HTTP status, 0 when the server was not reached. */
  send(events: readonly EventInput[], leaving: boolean): Promise<number>;
  now(): number;
  /** Runs the work after some milliseconds. */
  later(work: () => void, milliseconds: number): void;
}

const prefix = 'okla.event.';
const batch = 50;
const firstDelay = 400;
const longestDelay = 60_000;

/**
 * Events on their way to the server. Each lies under a key of its own in the browser's storage until the server has
 * acknowledged it, so a closed tab, a lost connection or a second tab loses none; what is sent twice has the same id and
 * counts once.
 */
export class EventQueue {
  private sending = false;
  private waiting = false;
  private failures = 0;

  constructor(
    private readonly outside: Outside,
    private readonly onAcknowledged: (events: readonly EventInput[]) => void = () => {},
  ) {}

  /** Events that the server has not acknowledged, oldest first. */
  pending(): EventInput[] {
    return keys(prefix)
      .sort()
      .map((key) => read(key))
      .filter((text) => text !== null)
      .map((text) => JSON.parse(text) as EventInput);
  }

  add(event: EventInput): void {
    write(prefix + event.id, JSON.stringify(event));
    this.schedule(firstDelay);
  }

  /** Sends what there is. On leaving the page nobody waits for the answer: what was not acknowledged goes again at the next visit. */
  async flush(leaving = false): Promise<void> {
    if (this.sending && !leaving) return;
    const events = this.pending().slice(0, batch);
    if (events.length === 0) return;

    this.sending = true;
    const sentAt = new Date(this.outside.now()).toISOString();
    const status = await this.outside.send(events.map((event) => ({ ...event, sentAt })), leaving);
    this.sending = false;

    if (isFinal(status)) {
      events.forEach((event) => remove(prefix + event.id));
      this.failures = 0;
      if (status < 300) this.onAcknowledged(events);
      else console.warn(`OKLA: the server refused ${events.length} events (${status}).`);
      if (this.pending().length > 0) this.schedule(0);
    } else {
      this.failures += 1;
      const ceiling = Math.min(longestDelay, 1000 * 2 ** this.failures);
      this.schedule(ceiling / 2 + (Math.random() * ceiling) / 2);
    }
  }

  private schedule(milliseconds: number): void {
    if (this.waiting) return;
    this.waiting = true;
    this.outside.later(() => {
      this.waiting = false;
      void this.flush();
    }, milliseconds);
  }
}

/** Whether sending again would not change the answer. */
const isFinal = (status: number) => status >= 200 && status < 500 && status !== 401 && status !== 408 && status !== 429;
