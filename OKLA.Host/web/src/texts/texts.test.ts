import { expect, test } from 'vitest';
import { esDO } from './es-DO';

const leaves = (value: unknown): unknown[] => (typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [value]);

test('Every text says something, and speaks to a Dominican', () => {
  const words = leaves(esDO).map((leaf) => (typeof leaf === 'function' ? String(leaf('x')) : String(leaf)));
  expect(words.every((text) => text.trim().length > 0)).toBe(true);
  expect(words.join(' ')).not.toMatch(/\b(vosotros|coche|ordenador|vale|os|vuestr\w+)\b/i);
});
