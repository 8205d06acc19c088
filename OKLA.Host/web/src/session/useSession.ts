import { useSyncExternalStore } from 'react';
import { request } from '../api/client';
import type { Role, SignedIn } from '../api/types';
import { anonymousId } from '../tracking/track';
import { currentSession, keepSession, onSessionChange, type Session } from './token';

/** Who is signed in, or null. */
export const useSession = (): Session | null => useSyncExternalStore(onSessionChange, currentSession);

/** Whose recommendations to show: the signed-in user's, else this browser's. */
export const usePersonId = (): string => useSession()?.user.id ?? anonymousId();

/** Signs a demo account in (Development only). */
export const signIn = async (role: Role): Promise<void> => keepSession(await request<SignedIn>(`/api/auth/demo/${role}`, { method: 'POST' }));
