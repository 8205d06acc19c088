import { QueryClient, useQuery } from '@tanstack/react-query';
import { usePersonId } from '../session/useSession';
import { Problem, request } from './client';
import type { CatalogEntry, PriceEstimate, Recommendations } from './types';

/** How many vehicles the storefront shows. */
export const shown = 12;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // Vehicles must not change places under the visitor's finger: the page decides when to ask again.
      staleTime: Infinity,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 2 && !(error instanceof Problem && error.status >= 400 && error.status < 500),
      networkMode: 'always',
    },
  },
});

export const recommendationsKey = (personId: string) => ['recommendations', personId] as const;

/** Vehicles that a person will want to see. */
export const useRecommendations = (personId: string) =>
  useQuery({
    queryKey: recommendationsKey(personId),
    queryFn: ({ signal }) => request<Recommendations>(`/api/recommendations/users/${encodeURIComponent(personId)}?limit=${shown}`, { signal }),
  });

/** What a vehicle's asking price should be, as this person is told it while versions are tried; asked when somebody wants to know. */
export const usePriceEstimate = (itemId: string, wanted: boolean) => {
  const person = usePersonId();
  return useQuery({
    queryKey: ['price-estimate', person, itemId],
    queryFn: ({ signal }) =>
      request<PriceEstimate>(`/api/vehicles/${encodeURIComponent(itemId)}/price-estimate?person=${encodeURIComponent(person)}`, { signal }),
    enabled: wanted,
  });
};

/** One item of the catalogue. */
export const useCatalogItem = (itemId: string) =>
  useQuery({
    queryKey: ['catalog-item', itemId],
    queryFn: ({ signal }) => request<CatalogEntry>(`/api/catalog/items/${encodeURIComponent(itemId)}`, { signal }),
    staleTime: 60_000,
  });
