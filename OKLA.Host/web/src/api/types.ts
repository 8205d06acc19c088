import type { paths } from './schema';

/** Types of the API by path, so that renaming a schema on the server does not touch the pages. */
type Answer<Path extends keyof paths> = paths[Path] extends { get: { responses: { 200: { content: { 'application/json': infer Body } } } } } ? Body : never;

export type Recommendations = Answer<'/api/recommendations/users/{id}'>;
export type Recommendation = Recommendations['items'][number];
export type RecommendedVehicle = Recommendation['item'];

/** Which predictor spoke; the model is what a new server may say more precisely. */
export const sources = ['model', 'previous', 'popularity'] as const;
export type Source = (typeof sources)[number];
export const sourceOf = (text: string): Source => sources.find((source) => source === text) ?? 'model';

/** How an asking price stands to its estimate. */
export const verdictCodes = ['good', 'fair', 'high'] as const;
export type VerdictCode = (typeof verdictCodes)[number];
export const verdictOf = (text: string | undefined): VerdictCode | null => verdictCodes.find((code) => code === text) ?? null;

/** What became of an item. */
export const statuses = ['live', 'sold', 'withdrawn'] as const;
export const statusOf = (text: string): (typeof statuses)[number] => statuses.find((status) => status === text) ?? 'withdrawn';

export type PriceEstimate = Answer<'/api/vehicles/{id}/price-estimate'>;
export type CatalogEntry = Answer<'/api/catalog/items/{id}'>;
export type Money = NonNullable<RecommendedVehicle['price']>;
export type EventInput = paths['/api/events']['post']['requestBody']['content']['application/json'][number];
export type EventsRecorded = paths['/api/events']['post']['responses'][202]['content']['application/json'];
export type SignedIn = paths['/api/auth/demo/{account}']['post']['responses'][200]['content']['application/json'];

/** Roles that have a demo account. */
export const roles = ['buyer', 'dealer', 'admin'] as const;
export type Role = (typeof roles)[number];
