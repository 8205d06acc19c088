import { read, remove, write } from '../storage';
import type { SignedIn } from '../api/types';

/** Who is signed in, until when. */
export interface Session {
  readonly accessToken: string;
  readonly expiresAt: number;
  readonly user: SignedIn['user'];
}

const key = 'okla.session';

/** The session that still lives, or null. */
export function currentSession(now = Date.now()): Session | null {
  const stored = read(key);
  if (stored === null) return null;
  const session = JSON.parse(stored) as Session;
  if (session.expiresAt > now) return session;
  remove(key);
  return null;
}

export const accessToken = (): string | null => currentSession()?.accessToken ?? null;

export function keepSession(answer: SignedIn, now = Date.now()): Session {
  const session = { accessToken: answer.accessToken, expiresAt: now + answer.expiresIn * 1000, user: answer.user };
  write(key, JSON.stringify(session));
  return session;
}

export const endSession = () => remove(key);
