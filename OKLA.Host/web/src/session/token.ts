import { read, remove, write } from '../../sdk/storage';
import type { SignedIn } from '../api/types';

/** Who is signed in, until when. */
export interface Session {
  readonly accessToken: string;
  readonly expiresAt: number;
  readonly user: SignedIn['user'];
}

const key = 'okla.session';
const listeners = new Set<() => void>();
const stored = read(key);
let session = stored === null ? null : (JSON.parse(stored) as Session);

/** The session that still lives, or null. */
export const currentSession = (now = Date.now()): Session | null => (session !== null && session.expiresAt > now ? session : null);

export const accessToken = (): string | null => currentSession()?.accessToken ?? null;

export function keepSession(answer: SignedIn, now = Date.now()): void {
  session = { accessToken: answer.accessToken, expiresAt: now + answer.expiresIn * 1000, user: answer.user };
  write(key, JSON.stringify(session));
  listeners.forEach((listener) => listener());
}

/** Signs out; also to be called when the server refuses the token, as it does after its keys have changed. */
export function endSession(): void {
  session = null;
  remove(key);
  listeners.forEach((listener) => listener());
}

/** Hears of a new session or none; answers how to stop. */
export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
