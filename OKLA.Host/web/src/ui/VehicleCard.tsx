import { useId, useRef, useState } from 'react';
import { Link } from 'react-router';
import { verdictOf, type Recommendation } from '../api/types';
import { catalogueValue, money, otherPrice, roughMoney } from '../format';
import { useContact, useLike } from '../likes';
import { t } from '../texts';
import { track } from '../tracking/track';
import { Check, Close, Heart, Info, Pin, Spark } from './Icons';
import { Picture } from './Picture';
import { PriceEstimatePanel, VerdictBadge } from './PriceVerdict';

interface Props {
  recommendation: Recommendation;
  /** Place in the list, from 1. */
  position: number;
  modelVersion: number | null;
}

/** A vehicle in the grid. */
export function VehicleCard({ recommendation, position, modelVersion }: Props) {
  const { itemId, item, reason } = recommendation;
  const verdict = verdictOf(recommendation.verdict?.code);
  const where = { surface: 'for_you', position, modelVersion };
  const [liked, like] = useLike(itemId, where);
  const [contacted, contact] = useContact(itemId, where);
  const [explained, setExplained] = useState(false);
  const badge = useRef<HTMLButtonElement>(null);
  const panel = useId();
  const other = otherPrice(item);
  const facts = [item.year, item.fuel === null ? null : catalogueValue(item.fuel)].filter((fact) => fact !== null);

  const close = () => {
    setExplained(false);
    badge.current?.focus();
  };

  return (
    <article
      data-okla-item={itemId}
      style={{ viewTransitionName: CSS.escape(`vehicle-${itemId}`) }}
      className="group relative flex h-full flex-col overflow-hidden rounded-3xl bg-surface shadow-card transition-shadow duration-200 hover:shadow-card-hover"
      onKeyDown={(event) => event.key === 'Escape' && explained && close()}
    >
      <div className="relative aspect-[16/10] overflow-hidden">
        <div className="h-full transition-transform duration-300 group-hover:scale-[1.03]">
          <Picture itemId={itemId} image={item.image} bodyType={item.bodyType} alt={item.title} />
        </div>
      </div>

      <div className="flex flex-1 flex-col px-4 pt-3.5 pb-4">
        <p className="flex min-h-5 items-center gap-1.5 text-[0.8125rem] font-medium text-brand">
          {reason !== null && (
            <>
              <Spark className="size-3.5" />
              <span className="truncate">{reason}</span>
            </>
          )}
        </p>
        <h2 className="mt-1.5 text-lg leading-snug font-bold tracking-[-0.01em]">
          <Link
            to={`/vehiculos/${encodeURIComponent(itemId)}`}
            onClick={() => track('recommendation_clicked', itemId, where)}
            className="line-clamp-2 after:absolute after:inset-0 after:rounded-3xl focus-visible:outline-none focus-visible:after:outline-3 focus-visible:after:-outline-offset-3 focus-visible:after:outline-brand"
          >
            {item.title}
          </Link>
        </h2>
        <p className="mt-1 flex flex-wrap items-center gap-x-1.5 text-sm text-muted">
          {facts.join(' · ')}
          {item.place !== null && (
            <span className="flex items-center gap-1">
              {facts.length > 0 && <span aria-hidden="true">·</span>}
              <Pin className="size-3.5" />
              {item.place}
            </span>
          )}
        </p>

        <div className="mt-auto flex flex-wrap items-end justify-between gap-x-3 gap-y-2 pt-4">
          <p className="figures leading-tight">
            <span className="block text-[1.375rem] font-extrabold tracking-[-0.02em]">{item.price === null ? t.card.noPrice : money(item.price)}</span>
            {other !== null && <span className="block text-sm text-muted">≈ {roughMoney(other)}</span>}
          </p>
          {verdict !== null && (
            <button
              ref={badge}
              type="button"
              aria-expanded={explained}
              aria-controls={panel}
              aria-label={t.verdict.ask(t.verdict[verdict])}
              onClick={() => setExplained(true)}
              className="relative z-10 -mr-1 flex min-h-8 items-center gap-1 rounded-full pr-1 text-muted hover:text-ink"
            >
              <VerdictBadge verdict={verdict} />
              <Info className="size-4" />
            </button>
          )}
        </div>

        <div className="relative z-10 mt-4 flex gap-2">
          <button
            type="button"
            aria-pressed={liked}
            aria-label={t.card.likeOf(item.title)}
            onClick={like}
            className={`flex h-11 flex-1 items-center justify-center gap-1.5 rounded-xl border px-2 text-[0.9375rem] font-semibold whitespace-nowrap transition-colors ${liked ? 'border-coral bg-coral-soft text-coral' : 'border-control hover:border-brand hover:text-brand'}`}
          >
            <Heart full={liked} className="size-[1.125rem]" />
            {t.card.like}
          </button>
          <button
            type="button"
            disabled={contacted}
            aria-label={contacted ? t.card.contactedOf(item.title) : t.card.contactOf(item.title)}
            onClick={contact}
            className="flex h-11 flex-1 items-center justify-center gap-1.5 rounded-xl bg-brand px-2 text-[0.9375rem] font-semibold whitespace-nowrap text-on-brand transition-colors hover:bg-brand-hover disabled:bg-brand-soft disabled:text-brand"
          >
            {contacted && <Check className="size-[1.125rem]" />}
            {contacted ? t.card.contacted : t.card.contact}
          </button>
        </div>
      </div>

      <div id={panel} hidden={!explained} className="absolute inset-x-0 bottom-0 z-20 flex min-h-[62%] flex-col">
        {explained && (
          <section aria-label={`${t.verdict.title}: ${item.title}`} className="rise flex-1 rounded-3xl border-t border-line bg-raised p-4 shadow-[0_-12px_32px_-8px_rgb(0_0_0/.22)]">
            <div className="mb-2 flex items-center justify-between gap-2">
              <h3 className="text-sm font-semibold text-muted">{t.verdict.title}</h3>
              <button type="button" autoFocus aria-label={t.verdict.close} onClick={close} className="-my-1 -mr-1 grid size-11 place-items-center rounded-full hover:bg-sunken">
                <Close />
              </button>
            </div>
            <PriceEstimatePanel itemId={itemId} />
          </section>
        )}
      </div>
    </article>
  );
}
