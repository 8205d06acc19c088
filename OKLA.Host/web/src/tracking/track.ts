import { start } from '../../sdk/start';
import { accessToken, currentSession, endSession, onSessionChange } from '../session/token';
import type { OklaEvent } from '../../sdk/okla';

type Listener = (events: readonly OklaEvent[]) => void;

const listeners = new Set<Listener>();

/** The browser SDK, as any site would use it. */
export const okla = start({
  onSent: (events) => listeners.forEach((listener) => listener(events)),
  onRefused: () => endSession(),
});

const identify = () => okla.identify(currentSession()?.user.id ?? null, accessToken);
identify();
onSessionChange(identify);

/** Hears which events the server has acknowledged; answers how to stop. */
export function onAcknowledged(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Records that the visitor did something. */
export const { track } = okla;

/** This browser's identity; who does not want to be followed shares one with all others. */
export const anonymousId = (): string => okla.anonymousId() ?? 'anonymous';
