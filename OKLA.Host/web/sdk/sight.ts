import type { OklaEvent, Properties } from './okla';

/** How events are made and kept; null where the visitor did not agree. */
export interface Keeper {
  make(type: string, itemId: string | null, properties: Properties): OklaEvent | null;
  add(event: OklaEvent): void;
  draft(event: OklaEvent): void;
}

/** Whether the visitor can be looking. */
export const inSight = (): boolean => document.visibilityState === 'visible' && document.hasFocus();

/**
 * A page or an item for as long as it is shown. Each stretch between showing (or coming back) and leaving (or hiding) becomes one event
 * with its seconds in sight, if these are at least `least`; from then on it is a draft that outlives a crash.
 */
export function sight(keeper: Keeper, type: string, itemId: string | null, properties: Properties, least: number) {
  let event: OklaEvent | null = null;
  let stretch = 1;
  let seen = 0;
  let since: number | null = null;
  let bottom = 0;
  let away: string | undefined;

  function update(): void {
    const now = performance.now();
    if (since !== null) seen += now - since;
    since = inSight() ? now : null;
    if (document.visibilityState === 'visible') event ??= keeper.make(type, itemId, properties);
    scrolled();
    if (event !== null && seen >= least) keeper.draft((event = whole(event)));
  }

  const scrolled = (): void => void (bottom = Math.max(bottom, scrollY + innerHeight));

  const whole = (known: OklaEvent): OklaEvent => ({
    ...known,
    properties: {
      ...properties,
      ...known.properties,
      visibleSeconds: Math.min(86_400, Math.round(seen / 100) / 10),
      scrollDepth: Math.min(1, Math.round((bottom / (document.documentElement.scrollHeight || bottom || 1)) * 100) / 100),
      ...(away && { outboundClick: true, outboundTo: away }),
      ...(stretch > 1 && { stretch }),
    },
  });

  return {
    update,
    scrolled,

    /** A link to another site was followed. */
    leftFor(host: string): void {
      away = host;
      update();
    },

    /** Ends the stretch. What comes into sight again begins another. */
    end(): void {
      update();
      if (event !== null && seen >= least) {
        keeper.add(event);
        stretch += 1;
      }
      event = since = null;
      seen = bottom = 0;
      away = undefined;
    },
  };
}

export type Sight = ReturnType<typeof sight>;
