import type { Consent, Options } from './okla';
import { read, remove, write } from './storage';
import { uuid7 } from './uuid7';

const visitorKey = 'okla.visitor';
const visitKey = 'okla.visit';
const userKey = 'okla.user';
const consentKey = 'okla.consent';
const levels: readonly Consent[] = ['none', 'necessary', 'analytics', 'marketing'];
const idle = 30 * 60_000;
const longest = 24 * 60 * 60_000;

/** Who the visitor is, as far as the visitor agreed to being somebody. */
export function identity(options: Options) {
  const objects = () => {
    const { globalPrivacyControl, doNotTrack } = navigator as Navigator & { globalPrivacyControl?: boolean };
    return options.signals !== false && (globalPrivacyControl || doNotTrack === '1');
  };

  /** What the visitor agreed to, or says by the browser's signals. */
  const consent = (): Consent => {
    const said = Math.max(0, levels.indexOf((read(consentKey) ?? options.consent ?? 'analytics') as Consent));
    return levels[objects() ? Math.min(said, 1) : said]!;
  };

  const followed = (): boolean => levels.indexOf(consent()) > 1;

  /** This browser's identity, made at the first visit. */
  const visitor = (): string => {
    const known = read(visitorKey) ?? /okla\.visitor=([\w-]+)/.exec(document.cookie)?.[1];
    if (known) return known;
    const made = uuid7();
    if (!write(visitorKey, made)) cookie(made, 31_536_000);
    return made;
  };

  const forget = (): void => {
    [visitorKey, visitKey, userKey].forEach(remove);
    cookie('', 0);
  };

  return {
    consent,
    followed,
    visitor,
    forget,
    user: () => read(userKey) ?? undefined,

    /** The visit that is going on: thirty quiet minutes, or a day, begin a new one. */
    visit(now: number): string {
      const [known, last, since] = (read(visitKey) ?? '').split('|');
      const goesOn = known !== '' && now - Number(last) < idle && now - Number(since) < longest;
      const id = goesOn ? known! : uuid7();
      write(visitKey, `${id}|${now}|${goesOn ? since : now}`);
      return id;
    },

    signIn(user: string | null): void {
      if (user === null || !followed()) remove(userKey);
      else write(userKey, user);
    },

    agree(level: Consent): void {
      write(consentKey, level);
      if (!followed()) forget();
    },
  };
}

export type Identity = ReturnType<typeof identity>;

/** Where storage is closed a cookie remembers the browser. */
function cookie(value: string, seconds: number): void {
  document.cookie = `${visitorKey}=${value};path=/;max-age=${seconds};samesite=lax${location.protocol === 'https:' ? ';secure' : ''}`;
}
