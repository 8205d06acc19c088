import { currentSession } from '../session/token';
import type { EventInput } from '../api/types';
import { EventQueue } from './eventQueue';
import { anonymousId, sessionId } from './identity';
import { uuid7 } from './uuid7';

type Listener = (events: readonly EventInput[]) => void;

const listeners = new Set<Listener>();

const queue = new EventQueue(
  {
    now: () => Date.now(),
    later: (work, milliseconds) => void setTimeout(work, milliseconds),
    async send(events, leaving) {
      const headers: Record<string, string> = { 'Content-Type': 'application/json' };
      const token = currentSession()?.accessToken;
      if (token !== undefined) headers.Authorization = `Bearer ${token}`;
      try {
        // A page that goes away may finish its request, but not beacon with a token: keepalive does both.
        const response = await fetch('/api/events', { method: 'POST', headers, body: JSON.stringify(events), keepalive: leaving });
        return response.status;
      } catch {
        return 0;
      }
    },
  },
  (events) => listeners.forEach((listener) => listener(events)),
);

/** Hears which events the server has acknowledged; answers how to stop. */
export function onAcknowledged(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Records that the visitor did something. */
export function track(type: string, itemId: string | null, properties: Record<string, unknown> = {}): void {
  const now = Date.now();
  queue.add({
    id: uuid7(now),
    type,
    occurredAt: new Date(now).toISOString(),
    anonymousId: anonymousId(),
    userId: currentSession(now)?.user.id,
    sessionId: sessionId(now),
    itemId: itemId ?? undefined,
    context: { page: location.pathname, referrer: document.referrer || undefined, language: navigator.language, width: innerWidth },
    properties,
  });
}

/** Sends what an earlier visit left, and what is left whenever the page goes out of sight. */
export function startTracking(): void {
  void queue.flush();
  const leave = () => void queue.flush(true);
  // The pages listen on the document and in the capture phase, so what they record on leaving is in the queue by now.
  addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') leave();
  });
  addEventListener('pagehide', leave);
}
