import { useEffect } from 'react';
import { track } from './track';

/** A glance shorter than this is not a view. */
const shortest = 1000;

/**
 * Records `item_viewed` with the seconds that the item was in sight: one event for every stretch between opening the page
 * (or coming back to it) and leaving it (or hiding it).
 */
export function useItemView(itemId: string | null): void {
  useEffect(() => {
    if (itemId === null) return;
    let since = document.visibilityState === 'visible' ? performance.now() : null;

    const end = () => {
      if (since === null) return;
      const milliseconds = performance.now() - since;
      since = null;
      if (milliseconds >= shortest) track('item_viewed', itemId, { visibleSeconds: Math.round(milliseconds / 100) / 10 });
    };
    const change = () => {
      if (document.visibilityState === 'hidden') end();
      else since ??= performance.now();
    };

    document.addEventListener('visibilitychange', change);
    addEventListener('pagehide', end, { capture: true });
    return () => {
      end();
      document.removeEventListener('visibilitychange', change);
      removeEventListener('pagehide', end, { capture: true });
    };
  }, [itemId]);
}
