import { expect, test } from 'vitest';
import { catalogueValue, date, money, otherCurrency, otherPrice, roughMoney, time } from './format';

test('Pesos and dollars are written as in the Dominican Republic', () => {
  expect(money({ amount: 1_350_000, currency: 'DOP' })).toBe('RD$1,350,000');
  expect(money({ amount: 23_400.5, currency: 'USD' })).toBe('US$23,401');
  expect(money({ amount: 900, currency: 'EUR' })).toBe('EUR 900');
});

test('An estimate shows three digits and no more', () => {
  expect(roughMoney({ amount: 1_243_817, currency: 'DOP' })).toBe('RD$1,240,000');
  expect(roughMoney({ amount: 21_549, currency: 'USD' })).toBe('US$21,500');
  expect(roughMoney({ amount: 87, currency: 'USD' })).toBe('US$87');
  expect(roughMoney({ amount: 0, currency: 'USD' })).toBe('US$0');
});

test('The other price is in the other currency, and absent where it is not known', () => {
  const both = { priceUsd: 20_000, priceDop: 1_180_000 };
  expect(otherPrice({ price: { amount: 20_000, currency: 'USD' }, ...both })).toEqual({ amount: 1_180_000, currency: 'DOP' });
  expect(otherPrice({ price: { amount: 1_180_000, currency: 'DOP' }, ...both })).toEqual({ amount: 20_000, currency: 'USD' });
  expect(otherPrice({ price: null, ...both })).toBeNull();
  expect(otherPrice({ price: { amount: 1, currency: 'USD' }, priceUsd: 1, priceDop: null })).toBeNull();
});

test('An estimate given in both currencies tells the rate', () => {
  const estimate = { usd: 10_000, dop: 590_000 };
  expect(otherCurrency({ amount: 20_000, currency: 'USD' }, estimate)).toEqual({ amount: 1_180_000, currency: 'DOP' });
  expect(otherCurrency({ amount: 590_000, currency: 'DOP' }, estimate)).toEqual({ amount: 10_000, currency: 'USD' });
  expect(otherCurrency({ amount: 1, currency: 'USD' }, { usd: 0, dop: 0 })).toBeNull();
});

test('Times are those of Santo Domingo, four hours behind UTC', () => {
  expect(date('2026-10-04T02:00:00Z')).toBe('3 de octubre de 2026');
  expect(time('2026-10-04T02:05:00Z').replace(/[  ]/g, ' ')).toBe('10:05 p. m.');
});

test('A value of the catalogue has its accents and begins in upper case', () => {
  expect(catalogueValue('Electrico')).toBe('Eléctrico');
  expect(catalogueValue('automatica')).toBe('Automática');
  expect(catalogueValue('gasolina')).toBe('Gasolina');
  expect(catalogueValue('')).toBe('');
});
