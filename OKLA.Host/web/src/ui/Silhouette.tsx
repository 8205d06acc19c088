import type { ReactNode } from 'react';
import type { Body, Paint } from '../bodies';

interface Shape {
  /** Outline, without wheels; drawn in the paint. */
  body: string;
  /** Panes. */
  glass: string[];
  /** Thin lines: doors, sills, creases. */
  lines: string;
  /** Centre of each wheel: x, y, radius. */
  wheels: ReadonlyArray<readonly [number, number, number]>;
  /** Front and rear lamps: x, y, width, height. */
  lamps: readonly [readonly [number, number, number, number], readonly [number, number, number, number]];
  /** Parts that are never painted: bumpers, seats, cargo. */
  dark?: string;
  /** Ends of the shadow. */
  shadow: readonly [number, number];
}

// Side views, the front to the right, standing on y = 130 of a field 320 wide and 160 high.
const shapes: Readonly<Record<Exclude<Body, 'boat' | 'motorcycle'>, Shape>> = {
  sedan: {
    body: 'M29 108 C26 99 27 88 31 83 C36 79 52 76 74 74 C92 60 112 50 142 49 C170 48 190 55 214 73 C240 75 268 79 283 87 C291 92 294 100 293 109 Q292 114 286 114 L264 114 A24 24 0 0 0 216 114 L110 114 A24 24 0 0 0 62 114 L38 114 Q31 114 29 108 Z',
    glass: ['M88 74 C101 63 117 56 138 55 L144 55 L146 74 Z', 'M152 55 C170 55 184 61 200 74 L153 74 Z'],
    lines: 'M149 56 L150 108 M98 78 L92 106 M36 88 C100 82 200 80 284 90 M160 83 L172 83 M104 84 L116 84',
    wheels: [[86, 112, 19], [240, 112, 19]],
    lamps: [[277, 88, 12, 5], [30, 85, 11, 6]],
    shadow: [26, 296],
  },
  hatchback: {
    body: 'M52 108 C49 96 50 82 55 74 C64 58 80 47 112 46 L160 46 C186 47 202 58 218 75 C240 77 258 81 268 89 C275 95 277 102 276 109 Q275 114 269 114 L250 114 A24 24 0 0 0 202 114 L124 114 A24 24 0 0 0 76 114 L60 114 Q53 114 52 108 Z',
    glass: ['M66 74 C74 61 86 53 112 52 L128 52 L129 74 Z', 'M135 52 L158 52 C178 53 190 61 204 75 L136 74 Z'],
    lines: 'M132 53 L133 108 M56 84 C120 78 210 78 268 91 M142 83 L154 83 M92 83 L104 83',
    wheels: [[100, 112, 19], [226, 112, 19]],
    lamps: [[261, 90, 12, 6], [52, 76, 8, 13]],
    shadow: [46, 282],
  },
  coupe: {
    body: 'M26 108 C24 98 26 90 32 86 C44 82 62 80 80 78 C104 62 128 54 152 54 C178 54 196 63 214 77 C246 79 276 84 288 94 C294 99 295 105 294 110 Q293 114 287 114 L266 114 A24 24 0 0 0 218 114 L112 114 A24 24 0 0 0 64 114 L36 114 Q28 114 26 108 Z',
    glass: ['M98 77 C114 66 132 60 150 60 L156 60 C174 61 186 67 198 77 Z'],
    lines: 'M132 80 C130 92 132 102 138 110 M206 80 C206 92 202 104 196 110 M34 92 C100 86 200 84 286 96 M190 87 L202 87',
    wheels: [[88, 111, 20], [242, 111, 20]],
    lamps: [[278, 93, 13, 4], [27, 90, 14, 5]],
    dark: 'M22 76 L58 73 Q62 73 62 76 L48 78 L46 84 L40 85 L40 79 L24 80 Z',
    shadow: [22, 298],
  },
  suv: {
    body: 'M36 104 C34 90 35 74 40 62 C46 45 60 39 92 38 L166 38 C192 39 206 51 220 69 C246 71 268 75 278 84 C285 91 286 99 285 106 Q284 112 278 112 L262 112 A26 26 0 0 0 210 112 L114 112 A26 26 0 0 0 62 112 L44 112 Q37 111 36 104 Z',
    glass: ['M50 66 C55 51 64 46 90 45 L94 45 L94 67 Z', 'M100 45 L146 45 L147 67 L100 67 Z', 'M152 45 L164 45 C182 46 194 54 205 68 L153 67 Z'],
    lines: 'M97 46 L98 104 M149 46 L151 106 M40 79 C110 75 210 74 278 87 M110 76 L122 76 M160 76 L172 76 M82 34 L162 34',
    wheels: [[88, 109, 21], [236, 109, 21]],
    lamps: [[270, 84, 13, 7], [36, 68, 7, 17]],
    dark: 'M36 102 L60 102 L60 112 L44 112 Q38 112 36 102 Z M262 104 L285 104 Q285 112 278 112 L263 112 Z',
    shadow: [30, 292],
  },
  pickup: {
    body: 'M20 102 L20 74 Q20 70 25 70 L132 70 L136 44 Q138 38 146 38 L182 38 C202 39 214 51 226 70 C254 72 276 76 287 85 C294 91 296 98 295 106 Q294 112 288 112 L270 112 A26 26 0 0 0 218 112 L106 112 A26 26 0 0 0 54 112 L28 112 Q20 112 20 102 Z',
    glass: ['M143 48 Q144 45 148 45 L164 45 L165 68 L140 68 Z', 'M171 45 L180 45 C196 46 205 55 213 69 L171 68 Z'],
    lines: 'M132 70 L132 106 M168 46 L169 106 M24 80 L132 80 M140 79 C190 77 250 79 288 88 M178 78 L190 78 M146 78 L156 78',
    wheels: [[80, 109, 21], [244, 109, 21]],
    lamps: [[278, 85, 14, 7], [20, 74, 6, 16]],
    dark: 'M18 103 L52 103 L54 112 L28 112 Q18 112 18 103 Z M271 104 L296 104 Q296 112 288 112 L272 112 Z',
    shadow: [14, 302],
  },
  van: {
    body: 'M30 104 L30 50 Q31 34 48 33 L184 33 C210 34 226 48 244 72 C264 75 280 80 287 90 C291 97 291 102 290 107 Q289 112 283 112 L266 112 A24 24 0 0 0 218 112 L106 112 A24 24 0 0 0 58 112 L38 112 Q30 112 30 104 Z',
    glass: ['M40 48 Q41 41 49 41 L92 41 L92 66 L40 66 Z', 'M99 41 L152 41 L153 66 L99 66 Z', 'M159 41 L182 41 C202 42 214 54 228 71 L160 67 Z'],
    lines: 'M96 42 L96 106 M156 42 L157 106 M34 77 L150 77 M164 78 C210 78 260 82 287 93 M104 74 L118 74 M166 76 L178 76',
    wheels: [[82, 110, 20], [242, 110, 20]],
    lamps: [[274, 86, 14, 7], [30, 62, 6, 22]],
    shadow: [24, 296],
  },
  truck: {
    body: 'M214 106 L214 40 Q214 32 223 32 L254 32 Q268 33 274 48 L284 74 Q290 78 290 86 L290 104 Q290 110 284 110 L274 110 A23 23 0 0 0 228 110 L214 110 Z',
    glass: ['M226 46 Q226 41 231 41 L251 41 Q260 42 264 51 L272 72 L226 72 Z'],
    lines: 'M222 78 L222 106 M222 78 L286 80 M228 86 L238 86',
    wheels: [[62, 111, 19], [106, 111, 19], [251, 111, 19]],
    lamps: [[281, 88, 9, 9], [22, 96, 5, 9]],
    dark: 'M20 98 L214 98 L214 108 L20 108 Z M206 60 L214 60 L214 98 L206 98 Z',
    shadow: [16, 298],
  },
};

/** Gradients that every drawing uses; once a page. */
export function SilhouetteInks() {
  return (
    <svg width="0" height="0" aria-hidden="true" className="absolute">
      <defs>
        <linearGradient id="ink-shade" x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stopColor="#fff" stopOpacity=".38" />
          <stop offset=".42" stopColor="#fff" stopOpacity=".06" />
          <stop offset=".55" stopColor="#000" stopOpacity="0" />
          <stop offset="1" stopColor="#000" stopOpacity=".34" />
        </linearGradient>
        <linearGradient id="ink-glass" x1="0" y1="0" x2=".6" y2="1">
          <stop offset="0" stopColor="#5f7f8b" />
          <stop offset=".5" stopColor="#243841" />
          <stop offset="1" stopColor="#16242a" />
        </linearGradient>
        <radialGradient id="ink-shadow">
          <stop offset="0" stopColor="#000" stopOpacity=".42" />
          <stop offset=".7" stopColor="#000" stopOpacity=".16" />
          <stop offset="1" stopColor="#000" stopOpacity="0" />
        </radialGradient>
        <radialGradient id="ink-rim">
          <stop offset="0" stopColor="#f4f6f5" />
          <stop offset="1" stopColor="#9aa6aa" />
        </radialGradient>
      </defs>
    </svg>
  );
}

/** A vehicle that has no picture, drawn from the side before a low sun; fills a field of 16 by 10. */
export function Silhouette({ body, paint: { body: paint, sky } }: { body: Body; paint: Paint }) {
  return (
    <svg viewBox="0 -36 320 200" aria-hidden="true" className="h-full w-full" preserveAspectRatio="xMidYMid slice">
      <circle cx="214" cy="58" r="66" fill={sky} opacity=".17" />
      <circle cx="214" cy="58" r="45" fill={sky} opacity=".18" />
      <rect x="-400" y="126" width="1120" height="200" fill={sky} opacity=".16" />
      {body === 'boat' ? <Boat paint={paint} /> : body === 'motorcycle' ? <Motorcycle paint={paint} /> : <FourWheels shape={shapes[body]} cargo={body === 'truck'} paint={paint} />}
    </svg>
  );
}

function FourWheels({ shape, cargo, paint }: { shape: Shape; cargo: boolean; paint: string }) {
  const [from, to] = shape.shadow;
  const [front, rear] = shape.lamps;
  return (
    <>
      <Shadow from={from} to={to} />
      {shape.wheels.map(([x, y, r]) => (
        <path key={x} d={`M${x - r - 6} ${y + 3} A${r + 6} ${r + 6} 0 0 1 ${x + r + 6} ${y + 3} Z`} fill="#0c1113" />
      ))}
      {cargo && (
        <>
          <rect x="20" y="26" width="184" height="73" rx="4" fill="#e9ece8" />
          <rect x="20" y="26" width="184" height="73" rx="4" fill="url(#ink-shade)" opacity=".6" />
          <path d="M50 28 V98 M80 28 V98 M110 28 V98 M140 28 V98 M170 28 V98" stroke="#000" strokeOpacity=".09" strokeWidth="1.5" />
        </>
      )}
      <path d={shape.body} fill={paint} />
      <path d={shape.body} fill="url(#ink-shade)" />
      {shape.dark !== undefined && <path d={shape.dark} fill="#1c2528" />}
      {shape.glass.map((pane) => (
        <path key={pane} d={pane} fill="url(#ink-glass)" />
      ))}
      <path d={shape.lines} fill="none" stroke="#000" strokeOpacity=".3" strokeWidth="1.3" strokeLinecap="round" />
      <rect x={front[0]} y={front[1]} width={front[2]} height={front[3]} rx="2.5" fill="#fff3c9" />
      <rect x={rear[0]} y={rear[1]} width={rear[2]} height={rear[3]} rx="2.5" fill="#d63a34" />
      {shape.wheels.map(([x, y, r]) => (
        <Wheel key={x} x={x} y={y} r={r} />
      ))}
    </>
  );
}

function Wheel({ x, y, r, spokes = 5 }: { x: number; y: number; r: number; spokes?: number }) {
  return (
    <g transform={`translate(${x} ${y})`}>
      <circle r={r} fill="#171d20" />
      <circle r={r * 0.66} fill="url(#ink-rim)" />
      <circle r={r * 0.56} fill="#4c575c" />
      {Array.from({ length: spokes }, (_, index) => (
        <path key={index} d={`M-1.6 0 L-2.4 ${-r * 0.58} L2.4 ${-r * 0.58} L1.6 0 Z`} fill="#d5dbdc" transform={`rotate(${(360 / spokes) * index})`} />
      ))}
      <circle r={r * 0.16} fill="#d5dbdc" />
    </g>
  );
}

const Shadow = ({ from, to, y = 131 }: { from: number; to: number; y?: number }): ReactNode => (
  <ellipse cx={(from + to) / 2} cy={y} rx={(to - from) / 2} ry="7" fill="url(#ink-shadow)" />
);

function Motorcycle({ paint }: { paint: string }) {
  return (
    <>
      <Shadow from={62} to={262} />
      <g fill="none" stroke="#171d20">
        <circle cx="102" cy="100" r="26" strokeWidth="8" />
        <circle cx="222" cy="100" r="26" strokeWidth="8" />
        <g stroke="#9aa6aa" strokeWidth="2">
          <circle cx="102" cy="100" r="20" />
          <circle cx="222" cy="100" r="20" />
        </g>
        <path d="M222 100 L198 46 L190 40" stroke="#5d686c" strokeWidth="6" strokeLinecap="round" strokeLinejoin="round" />
        <path d="M102 100 L150 96" stroke="#5d686c" strokeWidth="7" strokeLinecap="round" />
        <path d="M196 42 L178 38" strokeWidth="5" strokeLinecap="round" />
      </g>
      <path d="M134 78 L182 76 L188 98 Q186 112 170 112 L146 112 Q134 111 132 98 Z" fill="#2a3438" />
      <path d="M142 88 H180 M142 95 H181 M143 102 H180" stroke="#7c888c" strokeWidth="2.5" strokeLinecap="round" />
      <path d="M112 108 L150 110 Q156 110 156 114 L154 117 L90 117 Q84 117 84 113 Q84 110 90 110 Z" fill="#b9c3c5" />
      <path d="M138 74 C142 56 156 50 176 50 C188 50 196 54 200 62 L190 80 L150 84 Q138 84 138 74 Z" fill={paint} />
      <path d="M138 74 C142 56 156 50 176 50 C188 50 196 54 200 62 L190 80 L150 84 Q138 84 138 74 Z" fill="url(#ink-shade)" />
      <path d="M70 62 Q76 56 90 60 L144 64 Q146 74 138 76 L104 76 Q84 74 70 62 Z" fill="#1b2326" />
      <path d="M72 64 L66 76 Q80 70 104 78 L120 84 L140 82 L138 76 L104 76 Z" fill={paint} />
      <path d="M194 76 Q222 62 248 84 L242 88 Q222 72 200 86 Z" fill={paint} />
      <path d="M194 76 Q222 62 248 84 L242 88 Q222 72 200 86 Z" fill="url(#ink-shade)" />
      <ellipse cx="207" cy="52" rx="9" ry="8" fill="#2a3438" />
      <ellipse cx="211" cy="52" rx="5.5" ry="6.5" fill="#fff3c9" />
      <rect x="64" y="68" width="8" height="5" rx="2" fill="#d63a34" />
      <circle cx="102" cy="100" r="5" fill="#d5dbdc" />
      <circle cx="222" cy="100" r="5" fill="#d5dbdc" />
    </>
  );
}

function Boat({ paint }: { paint: string }) {
  const hull = 'M28 84 L292 74 C284 96 268 112 244 118 L62 118 Q42 112 28 84 Z';
  return (
    <>
      <path d="M118 82 L142 50 Q146 46 152 46 L196 46 Q202 46 205 51 L220 78 Z" fill="#f0f2ee" />
      <path d="M118 82 L142 50 Q146 46 152 46 L196 46 Q202 46 205 51 L220 78 Z" fill="url(#ink-shade)" opacity=".5" />
      <path d="M136 72 L150 54 L166 54 L166 71 Z M172 54 L194 54 L205 70 L172 71 Z" fill="url(#ink-glass)" />
      <path d="M210 60 L258 74" stroke="#9aa6aa" strokeWidth="2" />
      <path d="M40 82 L40 66 L66 66 L70 81 Z" fill="#1b2326" />
      <path d={hull} fill={paint} />
      <path d={hull} fill="url(#ink-shade)" />
      <path d="M34 93 L286 84" stroke="#fff" strokeOpacity=".55" strokeWidth="3" />
      <path d="M0 116 Q20 108 40 116 T80 116 T120 116 T160 116 T200 116 T240 116 T280 116 T320 116 V170 H0 Z" fill="#3b91b0" opacity=".85" />
      <path d="M0 127 Q20 120 40 127 T80 127 T120 127 T160 127 T200 127 T240 127 T280 127 T320 127 V170 H0 Z" fill="#23718f" opacity=".85" />
    </>
  );
}
