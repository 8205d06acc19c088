import { useEffect } from 'react';
import { okla } from './track';

/** Records `item_viewed` with the seconds that the item was in sight. */
export function useItemView(itemId: string | null): void {
  useEffect(() => {
    if (itemId === null) return;
    okla.view(itemId);
    return () => okla.view(null);
  }, [itemId]);
}
