import { expect, test } from 'vitest';
import { bodyOf, paintOf } from './bodies';

test.each([
  ['jeepeta', 'suv'],
  ['SUV', 'suv'],
  ['sedan', 'sedan'],
  ['Sedán', 'sedan'],
  ['camioneta', 'pickup'],
  ['Pick-up', 'pickup'],
  ['hatchback', 'hatchback'],
  ['coupe-deportivo', 'coupe'],
  ['Cupé', 'coupe'],
  ['v.pesados', 'truck'],
  ['Camión', 'truck'],
  ['motores', 'motorcycle'],
  ['Pasola', 'motorcycle'],
  ['barcos', 'boat'],
  ['Minivan', 'van'],
  ['autobús', 'truck'],
  ['', 'sedan'],
  [null, 'sedan'],
  ['platillo volador', 'sedan'],
])('What a seller calls %s is drawn as a %s', (text, body) => {
  expect(bodyOf(text)).toBe(body);
});

test('An item keeps its paint, and paints are spread over items', () => {
  expect(paintOf('sc-1042')).toBe(paintOf('sc-1042'));
  const used = new Set(Array.from({ length: 200 }, (_, index) => paintOf(`sc-${index}`).body));
  expect(used.size).toBe(10);
});
