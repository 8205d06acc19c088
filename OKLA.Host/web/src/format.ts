import type { Money, RecommendedVehicle } from './api/types';
import { t } from './texts';
import shared from '../../../Shared/Texts.es.json';

const whole = new Intl.NumberFormat(t.locale, { maximumFractionDigits: 0 });
const zone = 'America/Santo_Domingo';
const clock = new Intl.DateTimeFormat(t.locale, { hour: 'numeric', minute: '2-digit', timeZone: zone });
const day = new Intl.DateTimeFormat(t.locale, { day: 'numeric', month: 'long', year: 'numeric', timeZone: zone });
const signs: Readonly<Record<string, string>> = { DOP: 'RD$', USD: 'US$' };

export const number = (value: number): string => whole.format(value);

/** RD$1,350,000 or US$23,400. */
export const money = ({ amount, currency }: Money): string => `${signs[currency] ?? `${currency} `}${whole.format(amount)}`;

/** An estimate with the digits that it deserves: three of them. */
export function roughMoney({ amount, currency }: Money): string {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.abs(amount) || 1)) - 2);
  return money({ amount: Math.round(amount / step) * step, currency });
}

export const time = (moment: string): string => clock.format(new Date(moment));
export const date = (moment: string): string => day.format(new Date(moment));

/** The price in the other currency; null when it is not known. */
export function otherPrice({ price, priceUsd, priceDop }: Pick<RecommendedVehicle, 'price' | 'priceUsd' | 'priceDop'>): Money | null {
  if (price === null) return null;
  const other = price.currency === 'DOP' ? { amount: priceUsd, currency: 'USD' } : { amount: priceDop, currency: 'DOP' };
  return other.amount === null ? null : { amount: other.amount, currency: other.currency };
}

/** A price in the other currency at the rate of an estimate that was given in both. */
export function otherCurrency(price: Money | null, estimate: { usd: number; dop: number } | undefined): Money | null {
  if (price === null || estimate === undefined || estimate.usd <= 0) return null;
  const rate = estimate.dop / estimate.usd;
  return price.currency === 'DOP' ? { amount: price.amount / rate, currency: 'USD' } : { amount: price.amount * rate, currency: 'DOP' };
}

const words: Readonly<Record<string, string>> = shared;

/** A value of the catalogue as it is read: with its accents, which catalogues leave out, and upper case at the beginning. */
export function catalogueValue(written: string): string {
  const read = words[`value.${written.toLocaleLowerCase(t.locale)}`] ?? written;
  return read.charAt(0).toLocaleUpperCase(t.locale) + read.slice(1);
}
