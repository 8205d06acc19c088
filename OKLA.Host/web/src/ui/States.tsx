import type { ReactNode } from 'react';
import { Problem } from '../api/client';
import { paintOf } from '../bodies';
import { t } from '../texts';
import { Cloud, Info } from './Icons';
import { Silhouette } from './Silhouette';

/** Cards that are still on their way. */
export function CardSkeletons({ count }: { count: number }) {
  return Array.from({ length: count }, (_, index) => (
    <li key={index} aria-hidden="true" className="overflow-hidden rounded-3xl bg-surface shadow-card">
      <div className="bone aspect-[16/10]" />
      <div className="px-4 pt-4 pb-4">
        <div className="bone h-3.5 w-2/5 rounded" />
        <div className="bone mt-3 h-5 w-4/5 rounded" />
        <div className="bone mt-2.5 h-3.5 w-3/5 rounded" />
        <div className="bone mt-6 h-6 w-2/5 rounded" />
        <div className="bone mt-2 h-3.5 w-1/4 rounded" />
        <div className="bone mt-4 h-11 rounded-xl" />
      </div>
    </li>
  ));
}

interface NoticeProps {
  picture: ReactNode;
  title: string;
  children: ReactNode;
  alert?: boolean;
}

/** A page's or a part's own message, in the middle. */
export function Notice({ picture, title, children, alert = false }: NoticeProps) {
  return (
    <section role={alert ? 'alert' : undefined} className="mx-auto max-w-xl rounded-3xl bg-surface px-6 py-10 text-center shadow-card sm:px-10">
      <div className="mx-auto mb-5 grid place-items-center">{picture}</div>
      <h2 className="text-xl font-bold tracking-[-0.01em]">{title}</h2>
      {children}
    </section>
  );
}

export const primaryButton = 'inline-flex h-11 items-center justify-center gap-2 rounded-xl bg-brand px-5 font-semibold text-on-brand hover:bg-brand-hover';

const round = (icon: ReactNode) => <span className="grid size-14 place-items-center rounded-full bg-coral-soft text-coral">{icon}</span>;

/** What went wrong, in the server's words, and a way to try again. */
export function ProblemNotice({ error, again }: { error: unknown; again: () => void }) {
  const problem = error instanceof Problem ? error : null;
  const offline = problem?.status === 0;
  return (
    <Notice alert picture={round(offline ? <Cloud className="size-7" /> : <Info className="size-7" />)} title={offline ? t.problem.offlineTitle : (problem?.title ?? t.problem.title)}>
      <p className="mt-2 text-muted">{offline ? t.problem.offline : problem?.detail}</p>
      {problem !== null && problem.status > 0 && <p className="mt-1 text-sm text-muted">{t.problem.code(problem.status)}</p>}
      <button type="button" onClick={again} className={`${primaryButton} mt-6`}>
        {t.problem.again}
      </button>
    </Notice>
  );
}

/** No catalogue yet: says what to do. */
export function EmptyCatalogue({ again }: { again: () => void }) {
  return (
    <Notice
      title={t.empty.title}
      picture={
        <div className="h-36 w-60 overflow-hidden rounded-2xl bg-sunken">
          <Silhouette body="suv" paint={paintOf('')} />
        </div>
      }
    >
      <p className="mt-2 text-muted">{t.empty.text}</p>
      <dl className="mt-6 space-y-4 text-left">
        <Command label={t.empty.importLabel} command={t.empty.importCommand} />
        <Command label={t.empty.simulateLabel} command={t.empty.simulateCommand} />
      </dl>
      <button type="button" onClick={again} className={`${primaryButton} mt-7`}>
        {t.empty.again}
      </button>
    </Notice>
  );
}

const Command = ({ label, command }: { label: string; command: string }) => (
  <div>
    <dt className="text-sm font-semibold">{label}</dt>
    <dd className="mt-1.5 rounded-xl bg-sunken px-4 py-3">
      <code className="font-mono text-[0.8125rem] leading-relaxed break-words">{command}</code>
    </dd>
  </div>
);
