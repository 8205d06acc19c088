import { useQuery } from '@tanstack/react-query';
import { useEffect, useId, useRef, useState } from 'react';
import { Problem, request } from '../api/client';
import { roles, type Role } from '../api/types';
import { signIn, signOut, useSession } from '../session/useSession';
import { t } from '../texts';
import { Check, Chevron, Person } from './Icons';

/** Whether this server has demo accounts; only one in development does. */
const useDemo = () =>
  useQuery({
    queryKey: ['demo'],
    queryFn: () =>
      request<unknown>('/api/auth/demo').then(
        () => true,
        (problem: Problem) => (problem.status === 404 ? false : Promise.reject(problem)),
      ),
  });

/** Signs in as one of the demo accounts, without a password. */
export function DemoMenu() {
  const demo = useDemo();
  const session = useSession();
  const [open, setOpen] = useState(false);
  const [failed, setFailed] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const panel = useId();

  useEffect(() => {
    if (!open) return;
    const outside = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [open]);

  if (demo.data !== true) return null;

  const close = () => {
    setOpen(false);
    opener.current?.focus();
  };
  const choose = async (role: Role) => {
    setFailed(false);
    try {
      await signIn(role);
      close();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setFailed(true);
    }
  };

  return (
    <div
      ref={root}
      className="relative"
      onKeyDown={(event) => event.key === 'Escape' && open && close()}
      onBlur={(event) => event.relatedTarget !== null && !root.current?.contains(event.relatedTarget) && setOpen(false)}
    >
      <button
        ref={opener}
        type="button"
        aria-expanded={open}
        aria-controls={panel}
        onClick={() => setOpen(!open)}
        className="flex h-11 items-center gap-2 rounded-full border border-control bg-surface pr-3 pl-3.5 text-sm font-semibold hover:border-brand"
      >
        <Person className="size-4" />
        <span>{session === null ? t.session.open : (roles.includes(session.user.role as Role) ? t.session[session.user.role as Role] : session.user.name)}</span>
        <Chevron className={`size-4 transition-transform ${open ? 'rotate-180' : ''}`} />
      </button>
      <div id={panel} hidden={!open} className="rise absolute right-0 mt-2 w-72 rounded-2xl border border-line bg-raised p-2 shadow-xl">
        <p className="px-3 pt-2 text-sm font-semibold">{t.session.title}</p>
        <p className="px-3 pb-2 text-sm text-muted">{session === null ? t.session.note : t.session.signedInAs(session.user.name)}</p>
        <ul>
          {roles.map((role) => (
            <li key={role}>
              <button
                type="button"
                aria-pressed={session?.user.role === role}
                onClick={() => void choose(role)}
                className="flex w-full items-center gap-3 rounded-xl px-3 py-2.5 text-left hover:bg-sunken"
              >
                <span className="flex-1">
                  <span className="block text-sm font-semibold">{t.session[role]}</span>
                  <span className="block text-sm text-muted">{t.session[`${role}Hint`]}</span>
                </span>
                {session?.user.role === role && <Check className="size-5 text-brand" />}
              </button>
            </li>
          ))}
        </ul>
        {session !== null && (
          <button
            type="button"
            onClick={() => {
              signOut();
              close();
            }}
            className="mt-1 w-full rounded-xl border-t border-line px-3 py-2.5 text-left text-sm font-semibold text-coral hover:bg-sunken"
          >
            {t.session.signOut}
          </button>
        )}
        {failed && (
          <p role="alert" className="px-3 py-2 text-sm font-medium text-coral">
            {t.session.failed}
          </p>
        )}
      </div>
    </div>
  );
}
