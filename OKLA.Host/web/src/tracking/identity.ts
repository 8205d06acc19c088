import { read, write } from '../storage';
import { uuid7 } from './uuid7';

const visitorKey = 'okla.visitor';
const sessionKey = 'okla.visit';
const idle = 30 * 60_000;

/** This browser's identity, made at the first visit. */
export function anonymousId(): string {
  const known = read(visitorKey);
  if (known !== null) return known;
  const made = uuid7();
  write(visitorKey, made);
  return made;
}

/** The visit that is going on; thirty quiet minutes begin a new one. */
export function sessionId(now = Date.now()): string {
  const [known, last] = (read(sessionKey) ?? '').split('|');
  const id = known && now - Number(last) < idle ? known : uuid7(now);
  write(sessionKey, `${id}|${now}`);
  return id;
}
