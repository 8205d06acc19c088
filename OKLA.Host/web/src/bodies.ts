/** Shapes of vehicle that the pages can draw. */
export type Body = 'sedan' | 'suv' | 'hatchback' | 'pickup' | 'coupe' | 'van' | 'truck' | 'motorcycle' | 'boat';

/** What sellers write, most telling words first. */
const words: ReadonlyArray<readonly [RegExp, Body]> = [
  [/moto|scooter|pasola|passola/, 'motorcycle'],
  [/barco|bote|boat|lancha|yate|jet ?ski/, 'boat'],
  [/pesado|camion(?!eta)|truck|volteo|cabezote|patana|grua|autobus|bus\b/, 'truck'],
  [/pick|camioneta/, 'pickup'],
  [/minivan|\bvan\b|furgon|guagua/, 'van'],
  [/jeep|suv|crossover|todo ?terreno/, 'suv'],
  [/coupe|cupe|deportivo|convertible|roadster/, 'coupe'],
  [/hatch|compact/, 'hatchback'],
];

/** The shape that a catalogue's body type means; a sedan when it says nothing that we know. */
export function bodyOf(text: string | null | undefined): Body {
  const plain = (text ?? '').normalize('NFD').replace(/\p{Diacritic}/gu, '').toLowerCase();
  return words.find(([word]) => word.test(plain))?.[1] ?? 'sedan';
}

/** A vehicle's paint and the sky behind it. */
export interface Paint {
  readonly body: string;
  readonly sky: string;
}

const paints: readonly Paint[] = [
  { body: '#566771', sky: '#7395ab' },
  { body: '#a9b6bb', sky: '#5d8fae' },
  { body: '#ecede7', sky: '#d8a13c' },
  { body: '#b83b34', sky: '#d0655a' },
  { body: '#2474b2', sky: '#3f8fca' },
  { body: '#12857c', sky: '#2c9d92' },
  { body: '#c8a96f', sky: '#b98d45' },
  { body: '#3a5597', sky: '#6a83c4' },
  { body: '#de6b34', sky: '#e88b52' },
  { body: '#41775a', sky: '#5d9a78' },
];

/** A paint for a drawing: always the same for the same item, evenly spread over items. */
export function paintOf(itemId: string): Paint {
  let hash = 2166136261;
  for (let index = 0; index < itemId.length; index++) hash = Math.imul(hash ^ itemId.charCodeAt(index), 16777619);
  return paints[(hash >>> 8) % paints.length]!;
}
