import { useState } from 'react';
import { bodyOf, paintOf } from '../bodies';
import { t } from '../texts';
import { Silhouette } from './Silhouette';

interface Props {
  itemId: string;
  image: string | null;
  bodyType: string | null;
  /** What a screen reader says of the photograph. */
  alt: string;
}

/** The seller's photograph; a drawing of the body type where there is none or it does not load. */
export function Picture({ itemId, image, bodyType, alt }: Props) {
  const [broken, setBroken] = useState<string | null>(null);
  if (image !== null && image !== broken) {
    return <img src={image} alt={alt} loading="lazy" decoding="async" onError={() => setBroken(image)} className="h-full w-full object-cover" />;
  }
  const body = bodyOf(bodyType);
  const paint = paintOf(itemId);
  return (
    <div
      role="img"
      aria-label={t.card.silhouette(t.bodies[body])}
      className="h-full w-full"
      style={{ background: `linear-gradient(180deg, color-mix(in oklab, ${paint.sky} 8%, var(--sky)), color-mix(in oklab, ${paint.sky} 30%, var(--sky)))` }}
    >
      <Silhouette body={body} paint={paint} />
    </div>
  );
}
