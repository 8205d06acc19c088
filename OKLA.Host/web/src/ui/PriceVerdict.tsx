import { usePriceEstimate } from '../api/queries';
import type { Money, PriceEstimate, VerdictCode } from '../api/types';
import { money, roughMoney } from '../format';
import { t } from '../texts';
import { Down, Equal, Up } from './Icons';

const looks = {
  good: { tone: 'bg-good-soft text-good', Icon: Down },
  fair: { tone: 'bg-fair-soft text-fair', Icon: Equal },
  high: { tone: 'bg-high-soft text-high', Icon: Up },
} as const;

/** How the asking price stands to the estimate, in a word, a colour and a sign. */
export function VerdictBadge({ verdict }: { verdict: VerdictCode }) {
  const { tone, Icon } = looks[verdict];
  return (
    <span className={`inline-flex items-center gap-1 rounded-full py-1 pr-2.5 pl-1.5 text-[0.8125rem] leading-none font-semibold ${tone}`}>
      <Icon className="size-3.5" />
      {t.verdict[verdict]}
    </span>
  );
}

/** The estimate of a vehicle's price: asked for when it comes into sight. */
export function PriceEstimatePanel({ itemId }: { itemId: string }) {
  const { data, isPending, refetch } = usePriceEstimate(itemId, true);
  if (data !== undefined) return <Estimate estimate={data} />;
  if (isPending) {
    return (
      <div role="status" className="space-y-3">
        <span className="sr-only">{t.verdict.loading}</span>
        <div className="bone h-4 w-3/4 rounded" />
        <div className="bone h-3 w-full rounded-full" />
        <div className="bone h-4 w-1/2 rounded" />
      </div>
    );
  }
  return (
    <div role="alert" className="text-sm">
      <p>{t.verdict.failed}</p>
      <button type="button" onClick={() => void refetch()} className="mt-2 font-semibold text-brand underline underline-offset-4">
        {t.problem.again}
      </button>
    </div>
  );
}

function Estimate({ estimate }: { estimate: PriceEstimate }) {
  const currency = estimate.listed?.currency === 'DOP' ? 'DOP' : 'USD';
  const pick = (both: PriceEstimate['estimate']): Money => ({ amount: currency === 'DOP' ? both.dop : both.usd, currency });
  const middle = pick(estimate.estimate);
  const { low, high, listed, coverage } = estimate;
  return (
    <div className="space-y-3 text-sm">
      {low === null || high === null ? (
        <p className="figures text-base font-bold">{t.verdict.around(roughMoney(middle))}</p>
      ) : (
        <>
          <p className="figures text-base font-bold">{t.verdict.range(roughMoney(pick(low)), roughMoney(pick(high)))}</p>
          <Scale low={pick(low)} middle={middle} high={pick(high)} listed={listed} />
        </>
      )}
      {listed !== null && <p className="font-medium">{differenceOf(listed, middle)}</p>}
      {coverage !== null && <p className="text-muted">{t.verdict.coverage(Math.round(coverage * 10))}</p>}
      <p className="text-[0.8125rem] text-muted">{low !== null ? t.verdict.source(estimate.modelVersion) : t.verdict.sourceRule}</p>
    </div>
  );
}

function differenceOf(listed: Money, middle: Money): string {
  const difference = listed.amount - middle.amount;
  if (Math.abs(difference) < middle.amount * 0.005) return t.verdict.exact;
  const text = roughMoney({ amount: Math.abs(difference), currency: listed.currency });
  return difference < 0 ? t.verdict.below(text) : t.verdict.above(text);
}

/** The interval as a band, the estimate as a mark on it, the asking price as a point. */
function Scale({ low, middle, high, listed }: { low: Money; middle: Money; high: Money; listed: Money | null }) {
  const from = Math.min(low.amount, listed?.amount ?? low.amount);
  const to = Math.max(high.amount, listed?.amount ?? high.amount);
  const room = (to - from) * 0.08 || 1;
  const at = (amount: number) => ((amount - from + room) / (to - from + 2 * room)) * 100;
  const label = t.verdict.chart(roughMoney(low), roughMoney(high), roughMoney(middle), listed === null ? t.card.noPrice : money(listed));
  return (
    <div>
      <div role="img" aria-label={label} className="relative h-5">
        <div className="absolute inset-x-0 top-1/2 h-2 -translate-y-1/2 rounded-full bg-line" />
        <div className="absolute top-1/2 h-2 -translate-y-1/2 rounded-full bg-brand/45" style={{ left: `${at(low.amount)}%`, width: `${at(high.amount) - at(low.amount)}%` }} />
        <div className="absolute top-1/2 h-4 w-[3px] -translate-x-1/2 -translate-y-1/2 rounded bg-brand" style={{ left: `${at(middle.amount)}%` }} />
        {listed !== null && (
          <div className="absolute top-1/2 size-4 -translate-x-1/2 -translate-y-1/2 rounded-full border-[3px] border-raised bg-coral ring-1 ring-coral" style={{ left: `${at(listed.amount)}%` }} />
        )}
      </div>
      <p aria-hidden="true" className="mt-1 flex gap-4 text-[0.8125rem] text-muted">
        <span className="flex items-center gap-1.5">
          <span className="h-3 w-[3px] rounded bg-brand" />
          {t.verdict.estimate}
        </span>
        {listed !== null && (
          <span className="flex items-center gap-1.5">
            <span className="size-2.5 rounded-full bg-coral" />
            {t.verdict.asked}
          </span>
        )}
      </p>
    </div>
  );
}
