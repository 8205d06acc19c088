import type { ReactNode } from 'react';

const icon = (drawing: ReactNode) =>
  function Icon({ className = 'size-5' }: { className?: string }) {
    return (
      <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" className={`shrink-0 ${className}`}>
        {drawing}
      </svg>
    );
  };

export const Moon = icon(<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z" />);
export const Sun = icon(
  <>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M2 12h2M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4" />
  </>,
);
export const Person = icon(
  <>
    <circle cx="12" cy="8" r="4" />
    <path d="M4.5 20.5c1-4 4-6 7.5-6s6.5 2 7.5 6" />
  </>,
);
export const Pin = icon(
  <>
    <path d="M12 21c4-4.5 7-8 7-11.500a7 7 0 0 0-14 0C5 13 8 16.5 12 21Z" />
    <circle cx="12" cy="9.5" r="2.3" />
  </>,
);
export const Spark = icon(<path d="M12 3.500l1.9 5.100a2.6 2.6 0 0 0 1.5 1.500l5.1 1.9-5.1 1.900a2.6 2.6 0 0 0-1.5 1.500L12 20.500l-1.9-5.100a2.6 2.6 0 0 0-1.5-1.500L3.5 12l5.1-1.900a2.6 2.6 0 0 0 1.5-1.500Z" />);
export const Refresh = icon(<path d="M20 11a8 8 0 0 0-14.3-3.900L4 9M4 4v5h5M4 13a8 8 0 0 0 14.3 3.900L20 15M20 20v-5h-5" />);
export const Back = icon(<path d="M19 12H5M11 6l-6 6 6 6" />);
export const Close = icon(<path d="M6 6l12 12M18 6 6 18" />);
export const Check = icon(<path d="M5 12.500l4.5 4.500L19 7.5" />);
export const Down = icon(<path d="M12 5v14M6 13l6 6 6-6" />);
export const Up = icon(<path d="M12 19V5M6 11l6-6 6 6" />);
export const Equal = icon(<path d="M6 9.500h12M6 14.500h12" />);
export const Info = icon(
  <>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 11v5M12 8h.01" />
  </>,
);
export const Cloud = icon(<path d="M3 3l18 18M8 6.500A6 6 0 0 1 17.5 10a4.5 4.5 0 0 1 3 7.500M17 19H7a5 5 0 0 1-1-9.9" />);
export const Chevron = icon(<path d="M6 9l6 6 6-6" />);

/** A heart, full when the visitor likes the vehicle. */
export function Heart({ full, className = 'size-5' }: { full: boolean; className?: string }) {
  return (
    <svg viewBox="0 0 24 24" fill={full ? 'currentColor' : 'none'} stroke="currentColor" strokeWidth="2" strokeLinejoin="round" aria-hidden="true" className={`shrink-0 ${className}`}>
      <path d="M12 20.500C7 16.8 3.5 13.5 3.5 9.300A4.8 4.8 0 0 1 12 6.500a4.8 4.8 0 0 1 8.5 2.800c0 4.2-3.5 7.5-8.5 11.200Z" />
    </svg>
  );
}

/** The name, drawn: an O like a gauge whose needle points at what suits you. */
export function WordMark() {
  return (
    <svg viewBox="0 0 118 34" aria-hidden="true" className="h-7 w-auto sm:h-8">
      <g fill="none" stroke="currentColor" strokeWidth="6.4" strokeLinecap="butt" strokeLinejoin="miter">
        <circle cx="17" cy="17" r="12.3" />
        <path d="M40.2 2v30M60.5 2.5 43.5 17.500l18 14.500M69.2 2v26.800h15.5" />
        <path d="M88 32 101 3.5 114 32" strokeLinejoin="bevel" />
      </g>
      <circle cx="26.3" cy="7.7" r="6.9" className="fill-bg" />
      <circle cx="26.3" cy="7.7" r="4.7" className="fill-coral" />
    </svg>
  );
}
