import { onAcknowledged } from './track';

/** How much a new recommendation may owe to each kind of event; at one whole, the recommendations are worth asking for again. */
const weight: Readonly<Record<string, number>> = { item_viewed: 0.5, favorite_added: 1, contacted: 1 };

let gathered = 0;
const listeners = new Set<() => void>();

onAcknowledged((events) => {
  gathered += events.reduce((sum, event) => sum + (weight[event.type] ?? 0), 0);
  listeners.forEach((listener) => listener());
});

/** Whether the server has learned enough since the last recommendations to answer differently. */
export const learnedEnough = (): boolean => gathered >= 1;

/** To be called when new recommendations are asked for. */
export const forgetLearned = (): void => void (gathered = 0);

/** Hears when the server has learned something; answers how to stop. */
export function onLearned(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
