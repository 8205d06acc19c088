import { guard } from './guard';
import type { Command, Consent, Okla } from './okla';
import { start } from './start';

// The script tag: its attributes are the options, and what was pushed before it came is done now.
guard(() => {
  const place = window as unknown as { okla?: Okla | Command[] };
  const before = place.okla ?? [];
  if (!Array.isArray(before)) return;
  const script = document.currentScript as HTMLScriptElement | null;
  const { key, endpoint, consent, signals, auto } = script?.dataset ?? {};
  const okla = start({
    key,
    endpoint: endpoint ?? new URL('/api/events', script?.src ?? location.href).href,
    consent: consent as Consent | undefined,
    signals: signals !== 'ignore',
    auto: auto !== 'false',
  });
  place.okla = okla;
  okla.push(...before);
})();
