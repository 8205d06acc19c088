import { Link, useParams } from 'react-router';
import { Problem } from '../api/client';
import { useCatalogItem, usePriceEstimate } from '../api/queries';
import { statusOf, type CatalogEntry } from '../api/types';
import { catalogueValue, date, money, number, otherCurrency, roughMoney } from '../format';
import { useContact, useLike } from '../likes';
import { t } from '../texts';
import { useItemView } from '../tracking/useItemView';
import { Back, Check, Heart, Pin } from '../ui/Icons';
import { Picture } from '../ui/Picture';
import { PriceEstimatePanel } from '../ui/PriceVerdict';
import { Notice, primaryButton, ProblemNotice } from '../ui/States';

const box = 'rounded-3xl bg-surface p-5 shadow-card sm:p-6';

/** One vehicle; the time it stays in sight is recorded. */
export function Vehicle() {
  const id = useParams().id ?? '';
  const { data, error, refetch } = useCatalogItem(id);
  useItemView(data === undefined ? null : id);

  return (
    <div className="pt-4 sm:pt-6">
      <Link to="/" className="-ml-2 inline-flex h-11 items-center gap-2 rounded-lg px-2 font-semibold text-brand hover:bg-sunken">
        <Back />
        {t.vehicle.back}
      </Link>
      <div className="mt-3">
        {data !== undefined ? (
          <Details entry={data} />
        ) : error === null ? (
          <Skeleton />
        ) : error instanceof Problem && error.status === 404 ? (
          <Missing />
        ) : (
          <ProblemNotice error={error} again={() => void refetch()} level={1} />
        )}
      </div>
    </div>
  );
}

function Details({ entry }: { entry: CatalogEntry }) {
  const { item, listedAt } = entry;
  const { place = null, description = null, images = [] } = item;
  const status = statusOf(entry.status);
  const where = { surface: 'vehicle' };
  const [liked, like] = useLike(item.id, where);
  const [contacted, contact] = useContact(item.id, where);
  const bodyType = item.attributes.bodyType;
  const other = otherCurrency(item.price, usePriceEstimate(item.id, true).data?.estimate);
  return (
    <>
      <title>{`${item.title} · ${t.brand}`}</title>
      <div className="flex flex-col gap-4 sm:gap-6 lg:grid lg:grid-cols-[minmax(0,1.55fr)_minmax(20rem,1fr)] lg:items-start lg:gap-8">
        <div className="contents lg:sticky lg:top-20 lg:col-start-2 lg:row-start-1 lg:block lg:space-y-4">
          <section className={`${box} order-2`}>
            <p className="flex flex-wrap items-center gap-x-2 text-sm text-muted">
              <span className={status === 'live' ? 'font-semibold text-good' : 'font-semibold text-high'}>{t.vehicle.status[status]}</span>
              <span aria-hidden="true">·</span>
              {t.vehicle.listed(date(listedAt))}
            </p>
            <h1 className="mt-2 text-2xl leading-tight font-extrabold tracking-[-0.02em] sm:text-3xl">{item.title}</h1>
            {place !== null && (
              <p className="mt-2 flex items-center gap-1.5 text-muted">
                <Pin className="size-4" />
                {place}
              </p>
            )}
            <p className="figures mt-4">
              <span className="block text-3xl font-extrabold tracking-[-0.02em]">{item.price === null ? t.card.noPrice : money(item.price)}</span>
              {other !== null && <span className="mt-1 block text-muted">≈ {roughMoney(other)}</span>}
            </p>
            <div className="mt-5 flex gap-3">
              <button
                type="button"
                disabled={contacted || status !== 'live'}
                onClick={contact}
                className="flex h-12 flex-1 items-center justify-center gap-2 rounded-xl bg-brand font-semibold text-on-brand hover:bg-brand-hover disabled:bg-brand-soft disabled:text-brand"
              >
                {contacted && <Check />}
                {contacted ? t.card.contacted : t.card.contact}
              </button>
              <button
                type="button"
                aria-pressed={liked}
                onClick={like}
                className={`flex h-12 items-center gap-2 rounded-xl border px-4 font-semibold ${liked ? 'border-coral bg-coral-soft text-coral' : 'border-control hover:border-brand'}`}
              >
                <Heart full={liked} />
                {t.card.like}
              </button>
            </div>
            <p role="status" className="mt-3 text-sm text-muted empty:hidden">
              {status !== 'live' ? t.vehicle.notForSale : contacted ? t.vehicle.contactDone : ''}
            </p>
          </section>
          <section className={`${box} order-3`}>
            <h2 className="mb-3 text-lg font-bold">{t.verdict.title}</h2>
            <PriceEstimatePanel itemId={item.id} />
          </section>
        </div>

        <div className="contents min-w-0 lg:col-start-1 lg:row-start-1 lg:block lg:space-y-6">
          <div className="order-1 aspect-[16/10] overflow-hidden rounded-3xl shadow-card">
            <Picture itemId={item.id} image={images[0] ?? null} bodyType={typeof bodyType === 'string' ? bodyType : null} alt={t.vehicle.picture(1, item.title)} />
          </div>
          {images.length > 1 && (
            <ul className="order-4 grid grid-cols-3 gap-3 sm:grid-cols-4">
              {images.slice(1, 9).map((image, index) => (
                <li key={image} className="aspect-[4/3] overflow-hidden rounded-2xl">
                  <Picture itemId={item.id} image={image} bodyType={null} alt={t.vehicle.picture(index + 2, item.title)} />
                </li>
              ))}
            </ul>
          )}
          <Specs entry={entry} />
          {description !== null && description !== '' && (
            <section className={`${box} order-6`}>
              <h2 className="text-lg font-bold">{t.vehicle.description}</h2>
              <p className="mt-2 max-w-prose whitespace-pre-line text-muted">{description}</p>
            </section>
          )}
        </div>
      </div>
    </>
  );
}

/** The attributes that have a name in Spanish, in the order of the names. */
function Specs({ entry }: { entry: CatalogEntry }) {
  const { attributes, place = null } = entry.item;
  const rows = Object.entries(t.vehicle.attributes)
    .map(([name, label]) => [label, shownValue(name, attributes[name])] as const)
    .concat([[t.vehicle.place, place]])
    .filter((row): row is [string, string] => row[1] !== null && row[1] !== '');
  if (rows.length === 0) return null;
  return (
    <section className={`${box} order-5`}>
      <h2 className="text-lg font-bold">{t.vehicle.specs}</h2>
      <dl className="mt-3 grid gap-x-10 sm:grid-cols-2">
        {rows.map(([label, value]) => (
          <div key={label} className="flex justify-between gap-4 border-b border-line py-2.5">
            <dt className="text-muted">{label}</dt>
            <dd className="figures text-right font-medium">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function shownValue(name: string, value: unknown): string | null {
  if (typeof value === 'boolean') return value ? t.vehicle.yes : t.vehicle.no;
  if (typeof value === 'number') return name === 'mileageKm' ? t.vehicle.kilometres(number(value)) : name === 'year' ? String(value) : number(value);
  return typeof value === 'string' ? catalogueValue(value) : null;
}

const Skeleton = () => (
  <div role="status" className="grid gap-6 lg:grid-cols-[minmax(0,1.55fr)_minmax(20rem,1fr)] lg:gap-8">
    <span className="sr-only">{t.vehicle.loading}</span>
    <div className="bone aspect-[16/10] rounded-3xl" />
    <div className="space-y-4">
      <div className="bone h-64 rounded-3xl" />
      <div className="bone h-44 rounded-3xl" />
    </div>
  </div>
);

const Missing = () => (
  <Notice level={1} title={t.problem.notFoundTitle} picture={null}>
    <p className="mt-2 text-muted">{t.problem.notFound}</p>
    <Link to="/" className={`${primaryButton} mt-6`}>
      {t.problem.home}
    </Link>
  </Notice>
);
