import { useSyncExternalStore } from 'react';
import { request } from '../api/client';
import { queryClient } from '../api/queries';
import type { Role, SignedIn } from '../api/types';
import { anonymousId } from '../tracking/identity';
import { currentSession, endSession, keepSession, type Session } from './token';

let session: Session | null = currentSession();
const listeners = new Set<() => void>();

function change(next: Session | null): void {
  session = next;
  listeners.forEach((listener) => listener());
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

/** Who is signed in, or null. */
export const useSession = (): Session | null => useSyncExternalStore(subscribe, () => session);

/** Whose recommendations to show: the signed-in user's, else this browser's. */
export const usePersonId = (): string => useSession()?.user.id ?? anonymousId();

/** Signs a demo account in (Development only). */
export async function signIn(role: Role): Promise<void> {
  change(keepSession(await request<SignedIn>(`/api/auth/demo/${role}`, { method: 'POST' })));
}

export function signOut(): void {
  endSession();
  queryClient.removeQueries();
  change(null);
}
