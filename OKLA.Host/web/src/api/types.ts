import type { paths } from './schema';

/** Types of the API by path, so that renaming a schema on the server does not touch the pages. */
type Answer<Path extends keyof paths> = paths[Path] extends { get: { responses: { 200: { content: { 'application/json': infer Body } } } } } ? Body : never;

export type Recommendations = Answer<'/api/recommendations/users/{id}'>;
export type Recommendation = Recommendations['items'][number];
export type RecommendedVehicle = Recommendation['item'];
export type Source = Recommendations['source'];
export type Verdict = NonNullable<Recommendation['verdict']>;
export type PriceEstimate = Answer<'/api/vehicles/{id}/price-estimate'>;
export type CatalogEntry = Answer<'/api/catalog/items/{id}'>;
export type Money = NonNullable<RecommendedVehicle['price']>;
export type EventInput = paths['/api/events']['post']['requestBody']['content']['application/json'][number];
export type EventsRecorded = paths['/api/events']['post']['responses'][202]['content']['application/json'];
export type SignedIn = paths['/api/auth/demo/{account}']['post']['responses'][200]['content']['application/json'];
export type Role = SignedIn['user']['role'];
