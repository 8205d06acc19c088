import { delivery, mostBytes, sizeOf } from './delivery';
import { guard } from './guard';
import { identity } from './identity';
import { impressions } from './impressions';
import type { Command, Consent, Okla, OklaEvent, Options, Properties } from './okla';
import { queue } from './queue';
import { sight, type Sight } from './sight';
import { uuid7 } from './uuid7';

/** How often what grows is put down, and what other tabs left is looked for. */
const beat = 5000;
const burst = 100;
const perSecond = 10;

/** See okla.d.ts. */
export function start(options: Options = {}): Okla {
  const who = identity(options);
  let proof: string | null | (() => string | null) = null;
  const token = () => (typeof proof === 'function' ? proof() : proof);

  // Losses grow in one event until the next beat.
  let loss: OklaEvent | null = null;
  const lost = (type: string, reason: string): void => {
    // What only tells of losses would go round in circles.
    if (type === 'events_dropped') return;
    loss ??= make('events_dropped');
    if (loss === null) return;
    const { counts, reasons } = loss.properties as { counts?: Record<string, number>; reasons?: Record<string, number> };
    loss = { ...loss, properties: { counts: plusOne(counts, type), reasons: plusOne(reasons, reason) } };
    waiting.draft(loss);
  };

  const waiting = queue(lost, who.followed);
  const out = delivery(waiting, options, token, lost);

  let tokens = burst;
  let filledAt = performance.now();
  let warned = false;

  /** Whether the page may record one more now. */
  function allowed(type: string): boolean {
    const now = performance.now();
    tokens = Math.min(burst, tokens + ((now - filledAt) / 1000) * perSecond);
    filledAt = now;
    if (tokens > burst / 2) warned = false;
    if (tokens >= 1) {
      tokens -= 1;
      return true;
    }
    lost(type, 'rate_limited');
    if (!warned) {
      warned = true;
      add(make('rate_limited', null, { type }));
    }
    return false;
  }

  function make(type: string, itemId: string | null = null, properties: Properties = {}): OklaEvent | null {
    const consent = who.consent();
    if (consent === 'none') return null;
    const now = Date.now();
    const event = { id: uuid7(now), type, occurredAt: new Date(now).toISOString(), itemId: itemId ?? undefined, properties };
    if (!who.followed()) return { ...event, context: { consent } };
    const { pathname, search } = location;
    return {
      ...event,
      anonymousId: who.visitor(),
      userId: who.user(),
      sessionId: who.visit(now),
      context: { consent, page: pathname, referrer: document.referrer || undefined, language: navigator.language, width: innerWidth, utm: search.match(/utm_\w+=[^&]*/g)?.join('&') },
    };
  }

  function add(event: OklaEvent | null): void {
    if (event === null) return;
    if (sizeOf(JSON.stringify(event)) > mostBytes - 100) return lost(event.type, 'too_large');
    waiting.add(event);
    out.schedule();
  }

  const keeper = { make, add: (event: OklaEvent) => (allowed(event.type) ? add(event) : waiting.discard(event)), draft: waiting.draft };
  let page: Sight | undefined;
  let item: Sight | undefined;
  let address = '';
  let gone = false;

  const opened = (): void => {
    endItem();
    openPage();
  };
  const openPage = (): void => {
    page?.end();
    address = addressOf(location);
    page = sight(keeper, 'page_viewed', null, { path: location.pathname.slice(0, 2000), title: document.title.slice(0, 500) || undefined }, 0);
    page.update();
    lists?.again();
  };
  const endItem = (): void => {
    item?.end();
    item = undefined;
  };
  const track = (type: string, itemId?: string | null, properties?: Properties): void => {
    const event = allowed(type) ? make(type, itemId, properties) : null;
    add(event);
  };
  const auto = options.auto !== false;
  const lists = auto && 'IntersectionObserver' in window ? impressions((list, itemIds, positions) => track('list_viewed', null, { list, itemIds, positions })) : undefined;

  // Between leaving a page and coming back to it from the browser's memory nothing is in sight, whatever the browser says.
  const each = (work: (one: Sight) => void): void => [page, item].forEach((one) => one && !gone && work(one));
  const update = (): void => each((one) => one.update());
  const end = (): void => each((one) => one.end());
  const settle = (): void => {
    if (loss !== null) add(loss);
    loss = null;
  };
  const hidden = (): void => {
    end();
    settle();
    out.flush(true);
  };
  const live = (): void => {
    waiting.hold(update);
    waiting.adopt(out.schedule);
  };

  const okla: Okla = {
    track,
    page: opened,
    view(itemId, properties = {}) {
      endItem();
      if (itemId === null) return;
      item = sight(keeper, 'item_viewed', itemId, properties, 1000);
      item.update();
    },
    identify(userId, given) {
      proof = given ?? null;
      who.signIn(userId);
      out.schedule();
    },
    reset() {
      end();
      proof = null;
      who.forget();
      update();
    },
    consent(level: Consent) {
      end();
      who.agree(level);
      if (who.consent() === 'none') {
        waiting.clear();
        loss = null;
      }
      update();
    },
    flush: () => out.flush(),
    anonymousId: () => (who.followed() ? who.visitor() : null),
    push: (...commands) => commands.forEach((command) => run(command)),
  };
  const run = guard(([name, ...given]: Command): void => (okla[name] as (...given: unknown[]) => void)(...given));
  for (const name in okla) okla[name as 'page'] = guard(okla[name as 'page']);

  const on = (target: EventTarget, names: string, work: (event: Event) => unknown) => names.split(' ').forEach((name) => target.addEventListener(name, guard(work), true));

  guard(() => {
    on(document, 'visibilitychange', () => (document.visibilityState === 'hidden' ? hidden() : update()));
    on(window, 'focus blur', (event) => event.target === window && update());
    on(window, 'scroll', () => each((one) => one.scrolled()));
    on(window, 'online', out.again);
    on(window, 'pagehide', () => {
      hidden();
      gone = true;
      page = undefined;
      waiting.leave();
    });
    on(window, 'pageshow', (event) => {
      if (!(event as PageTransitionEvent).persisted) return;
      gone = false;
      live();
      if (auto) openPage();
      update();
    });
    on(document, 'click auxclick', (event) => {
      const link = (event.composedPath()[0] as Element).closest?.<HTMLAnchorElement>('a[href]');
      if (link && /^https?:/.test(link.protocol) && link.host !== location.host) each((one) => one.leftFor(link.host));
    });
    setInterval(
      guard(() => {
        update();
        settle();
        if (!gone) live();
      }),
      beat,
    );
    live();
    out.schedule();
    if (!auto) return;

    const moved = guard(() => {
      if (addressOf(location) !== address) opened();
    });
    for (const name of ['pushState', 'replaceState'] as const) {
      const original = history[name];
      history[name] = function (...given) {
        original.apply(this, given);
        moved();
      };
    }
    on(window, 'popstate hashchange', moved);
    opened();
  })();
  return okla;
}

const plusOne = (counts: Record<string, number> = {}, name: string) => ({ ...counts, [name]: (counts[name] ?? 0) + 1 });

/** What makes a page another one; a fragment does only where it is written as a path. */
const addressOf = ({ pathname, search, hash }: Location) => pathname + search + (/^#!?\//.test(hash) ? hash : '');
