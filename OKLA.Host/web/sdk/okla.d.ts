/**
 * OKLA's browser SDK: what visitors look at and do, told to OKLA, nothing lost and nothing twice. No dependency, under 5 KB.
 *
 * ## One script tag
 * ```html
 * <script>window.okla = window.okla || [];</script>
 * <script async src="https://okla.example/sdk/okla.js" data-key="your site's key"></script>
 * ```
 * | attribute | meaning | absent |
 * |---|---|---|
 * | `data-key` | the site's write key | no key is sent (development) |
 * | `data-endpoint` | where events go | `/api/events` of the server that the script came from |
 * | `data-consent` | what visitors are taken to have agreed to until they say | `analytics` |
 * | `data-signals="ignore"` | do not look at Do Not Track and Global Privacy Control | both are honoured |
 * | `data-auto="false"` | no page views and impressions by themselves | they come by themselves |
 *
 * Commands may be given before the script is there, and after:
 * ```js
 * okla.push(['view', 'car-1042', { origin: 'search' }]);            // the page shows this item: its time in sight counts
 * okla.push(['track', 'contacted', 'car-1042', { channel: 'whatsapp' }]);
 * okla.push(['identify', 'user-7', token]);                         // at sign-in; the token proves it
 * okla.push(['consent', 'necessary']);                              // from the cookie banner
 * okla.push(['reset']);                                             // at sign-out on a shared device
 * ```
 * Loaded, `okla.track(…)` and the rest can be called by name too.
 *
 * A site with a content security policy allows OKLA's server in `script-src` and `connect-src`.
 *
 * ## As a module
 * ```js
 * import { start } from 'https://okla.example/sdk/okla.mjs';
 * const okla = start({ key: 'your key', endpoint: 'https://okla.example/api/events' });
 * ```
 *
 * ## What comes by itself
 * - `page_viewed` for every page, also of single-page applications: seconds in sight (visible and with the focus), depth of scrolling
 *   (0 to 1), and whether a link away from the site was followed (and to which host). It is sent when the page is left or hidden; a visitor who comes back
 *   to a hidden page makes another with `stretch: 2`, which is no new view. Every event says in its context the page, where the visitor came from and `utm_…`. So does `item_viewed` for what `view` named, if it was in
 *   sight for a second.
 * - `list_viewed` for elements with `data-okla-item="id"` that were at least half in sight for a second, once a page view, with their
 *   positions (`data-okla-position`, else their order from 0) in the list (`data-okla-list` on the element or around it).
 * - `events_dropped` with what was lost and why (`counts` by type, `reasons`): the queue was full (1,000 events or 1 MB; what is worth
 *   least goes first, of that the oldest), the page sent too much, an event was too large, or the server rejected it.
 * - `rate_limited`, once, when the page sends more than 100 events at once or 10 a second for long.
 *
 * ## Delivery
 * An event gets its id when it happens and lies in localStorage until the server has it on disk: through reload, loss of connection,
 * full storage (then in memory), and a crash of the tab, whose events the next page takes over. What is sent twice counts once.
 * Failures are tried again after a random time that grows to a minute, or when the server says. Leaving the page sends what is left
 * without waiting; what nobody acknowledged goes again at the next visit.
 *
 * ## Consent
 * `none` records nothing. `necessary` counts without any identity and writes nothing on the device. `analytics` follows a visit.
 * `marketing` lets it be used for advertising too. With Do Not Track or Global Privacy Control it is `necessary` at most.
 *
 * Servers have a client of their own: `/sdk/OklaClient.cs`.
 */

/** What a visitor agreed to; each includes the one before it. */
export type Consent = 'none' | 'necessary' | 'analytics' | 'marketing';

/** What an event says beyond its type: see `/api/events/schemas`. */
export type Properties = Readonly<Record<string, unknown>>;

/** An event as it goes over the wire. */
export interface OklaEvent {
  readonly id: string;
  readonly type: string;
  /** ISO 8601. */
  readonly occurredAt: string;
  readonly anonymousId?: string;
  readonly userId?: string;
  readonly sessionId?: string;
  readonly itemId?: string;
  readonly context: Properties;
  readonly properties: Properties;
}

export interface Options {
  /** The site's write key. */
  readonly key?: string;
  /** Where events go. Default: `/api/events`. */
  readonly endpoint?: string;
  /** What visitors are taken to have agreed to until they say. Default: `analytics`. */
  readonly consent?: Consent;
  /** Whether Do Not Track and Global Privacy Control are honoured. Default: true. */
  readonly signals?: boolean;
  /** Whether page views and impressions come by themselves. Default: true. */
  readonly auto?: boolean;
  /** Hears which events the server has. */
  onSent?(events: readonly OklaEvent[]): void;
  /** Hears that the server refuses the key or the token (HTTP status); nothing is sent until the token is another. */
  onRefused?(status: number): void;
}

export interface Okla {
  /** Records that the visitor did something, perhaps to an item. */
  track(type: string, itemId?: string | null, properties?: Properties): void;
  /** The page shows this item now (null: no longer); its time in sight becomes `item_viewed`. */
  view(itemId: string | null, properties?: Properties): void;
  /** A page is opened. Only needed where they do not come by themselves. */
  page(): void;
  /** Who is signed in; null for nobody. OKLA believes a browser only with a token that proves it. */
  identify(userId: string | null, token?: string | (() => string | null)): void;
  /** Forgets who this was: user, browser's identity and visit. */
  reset(): void;
  /** What the visitor agreed to; remembered. */
  consent(level: Consent): void;
  /** Sends what there is now. */
  flush(): void;
  /** This browser's identity; null without consent to be followed. */
  anonymousId(): string | null;
  /** Runs commands, as the queue before loading keeps them: `['track', 'shared', 'car-1042', { channel: 'link' }]`. */
  push(...commands: readonly Command[]): void;
}

/** A method's name and its arguments. */
export type Command = { [Name in Exclude<keyof Okla, 'push' | 'anonymousId'>]: [Name, ...Parameters<Okla[Name]>] }[Exclude<keyof Okla, 'push' | 'anonymousId'>];

/** Starts to record; once a page. */
export function start(options?: Options): Okla;
