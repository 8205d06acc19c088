import { useEffect, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { shown, useRecommendations } from '../api/queries';
import { sourceOf, type Recommendations } from '../api/types';
import { time } from '../format';
import { usePersonId } from '../session/useSession';
import { t } from '../texts';
import { forgetLearned, learnedEnough, onLearned } from '../tracking/interest';
import { track } from '../tracking/track';
import { Refresh } from '../ui/Icons';
import { CardSkeletons, EmptyCatalogue, ProblemNotice } from '../ui/States';
import { VehicleCard } from '../ui/VehicleCard';

/** Milliseconds from an acknowledged event to features that know it. */
const foldedWithin = 800;

const grid = 'grid grid-cols-1 gap-4 sm:grid-cols-2 sm:gap-5 lg:grid-cols-3 xl:grid-cols-4';

/** "Vehículos para ti": what this visitor will want to see. */
export function ForYou() {
  const personId = usePersonId();
  const { data, error, isPending, isFetching, refetch } = useRecommendations(personId);
  const settled = useSettled(data);
  const again = () => {
    forgetLearned();
    void refetch();
  };

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      if (!learnedEnough()) return;
      forgetLearned();
      timer = setTimeout(() => void refetch(), foldedWithin);
    };
    look();
    const stop = onLearned(look);
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [refetch]);

  useEffect(() => {
    if (data === undefined || data.items.length === 0) return;
    track('recommendation_shown', null, { itemIds: data.items.map((item) => item.itemId), modelVersion: data.modelVersion, source: data.source });
  }, [data]);

  return (
    <>
      <title>{`${t.forYou.title} · ${t.brand}`}</title>
      <div className="flex flex-wrap items-end justify-between gap-x-8 gap-y-4 pt-8 pb-6 sm:pt-12 sm:pb-8">
        <div className="max-w-2xl">
          <h1 tabIndex={-1} className="text-[2rem] leading-[1.08] font-extrabold tracking-[-0.03em] sm:text-5xl">
            {t.forYou.title}
          </h1>
          <p className="mt-3 text-base text-muted sm:text-lg">{data === undefined || data.items.length === 0 || data.source === 'popularity' ? t.forYou.lead : t.forYou.leadKnown}</p>
        </div>
        {settled !== undefined && settled.items.length > 0 && <SourceLine recommendations={settled} busy={isFetching} again={again} />}
      </div>

      <p role="status" className="sr-only">
        {isPending ? t.forYou.loading : isFetching ? t.forYou.refreshing : error === null && settled !== undefined ? t.forYou.refreshed : ''}
      </p>

      {settled !== undefined ? (
        settled.items.length === 0 ? (
          <EmptyCatalogue again={again} />
        ) : (
          <ul data-okla-list="for_you" aria-label={t.forYou.listLabel} aria-busy={isFetching} className={grid}>
            {settled.items.map((recommendation, index) => (
              <li key={recommendation.itemId}>
                <VehicleCard recommendation={recommendation} position={index + 1} modelVersion={settled.modelVersion} />
              </li>
            ))}
          </ul>
        )
      ) : error !== null ? (
        <ProblemNotice error={error} again={again} />
      ) : (
        <ul className={grid}>
          <CardSkeletons count={shown} />
        </ul>
      )}
    </>
  );
}

/** Which model spoke, for the curious. */
function SourceLine({ recommendations, busy, again }: { recommendations: Recommendations; busy: boolean; again: () => void }) {
  const { modelVersion, generatedAt } = recommendations;
  const source = sourceOf(recommendations.source);
  return (
    <p className="flex items-center gap-2 text-sm text-muted">
      <span title={t.forYou.sourceHint[source]} className="rounded-full border border-line px-2.5 py-1 text-[0.8125rem]">
        {t.forYou.source[source](modelVersion)} <span className="hidden sm:inline">{t.forYou.at(time(generatedAt))}</span>
      </span>
      <button type="button" onClick={again} disabled={busy} className="flex h-9 items-center gap-1.5 rounded-full px-3 font-semibold text-brand hover:bg-sunken">
        <Refresh className={`size-4 ${busy ? 'animate-spin' : ''}`} />
        {busy ? t.forYou.refreshing : t.forYou.refresh}
      </button>
    </p>
  );
}

/** The newest answer, put in place with a transition where the browser has one, so that the eye can follow. */
function useSettled(data: Recommendations | undefined): Recommendations | undefined {
  const [settled, settle] = useState(data);
  const before = useRef(data);
  useEffect(() => {
    const first = before.current === undefined || before.current.userId !== data?.userId;
    before.current = data;
    if (first || data === undefined || !('startViewTransition' in document)) settle(data);
    else document.startViewTransition(() => flushSync(() => settle(data)));
  }, [data]);
  return settled;
}
