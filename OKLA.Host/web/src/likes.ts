import { useSyncExternalStore } from 'react';
import { read, write } from '../sdk/storage';
import { track } from './tracking/track';

/** Sets of item ids that the browser remembers, so that a heart stays full after a reload. */
function remembered(key: string) {
  let items: ReadonlySet<string> = new Set(JSON.parse(read(key) ?? '[]') as string[]);
  const listeners = new Set<() => void>();
  return {
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    get: () => items,
    set(itemId: string, on: boolean) {
      const next = new Set(items);
      if (on) next.add(itemId);
      else next.delete(itemId);
      items = next;
      write(key, JSON.stringify([...next]));
      listeners.forEach((listener) => listener());
    },
  };
}

const likes = remembered('okla.likes');
const contacts = remembered('okla.contacts');

/** Whether the visitor likes an item, and how to change it; `properties` says where that happened. */
export function useLike(itemId: string, properties: Record<string, unknown>): [boolean, () => void] {
  const liked = useSyncExternalStore(likes.subscribe, likes.get).has(itemId);
  return [
    liked,
    () => {
      likes.set(itemId, !liked);
      track(liked ? 'favorite_removed' : 'favorite_added', itemId, properties);
    },
  ];
}

/** Whether the visitor has contacted the seller, and how to. */
export function useContact(itemId: string, properties: Record<string, unknown>): [boolean, () => void] {
  const contacted = useSyncExternalStore(contacts.subscribe, contacts.get).has(itemId);
  return [
    contacted,
    () => {
      if (contacted) return;
      contacts.set(itemId, true);
      track('contacted', itemId, properties);
    },
  ];
}
