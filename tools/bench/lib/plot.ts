/** A small plot as SVG: lines through points, with logarithmic axes, since what is shown grows over orders of magnitude. */

export interface Line {
  readonly name: string;
  /** [x, y], above 0 where the axis is logarithmic. */
  readonly points: readonly (readonly [number, number])[];
}

export interface Plot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
  /** Where x is time: from 0, in equal steps. */
  readonly isLinearX?: boolean;
}

const WIDTH = 640;
const HEIGHT = 400;
const MARGIN = { top: 44, right: 150, bottom: 52, left: 72 };
/** Colours that people with any colour vision tell apart (Okabe and Ito), on white and on dark. */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#b8860b'];

interface Axis {
  readonly ticks: readonly number[];
  /** From a value to a share of the axis. */
  readonly at: (value: number) => number;
}

/** Names stand beside the ends of their lines, but not closer than this to each other, in pixels. */
const NAME_DISTANCE = 15;

/** Where names go that would like to stand at `wanted`. */
function spread(wanted: readonly number[]): number[] {
  const placed = [...wanted];
  let last = Number.NEGATIVE_INFINITY;
  for (const i of wanted.map((_, n) => n).sort((a, b) => (wanted[a] as number) - (wanted[b] as number))) {
    last = Math.max(placed[i] as number, last + NAME_DISTANCE);
    placed[i] = last;
  }
  return placed;
}

/** Whole powers of ten around `values`. */
function axisOf(values: readonly number[]): Axis {
  const from = Math.floor(Math.log10(Math.min(...values)));
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values))));
  const ticks = Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i));
  return { ticks, at: (value) => (Math.log10(value) - from) / (to - from) };
}

/** From 0 to the highest of `values`, in five steps. */
function linearAxisOf(values: readonly number[]): Axis {
  const to = Math.max(...values);
  return { ticks: Array.from({ length: 6 }, (_, i) => (i * to) / 5), at: (value) => value / to };
}

export function toSvg({ title, x, y, lines, isLinearX = false }: Plot): string {
  const points = lines.flatMap((line) => line.points);
  const xAxis = (isLinearX ? linearAxisOf : axisOf)(points.map(([value]) => value));
  const yAxis = axisOf(points.map(([, value]) => value));
  const left = (value: number) => MARGIN.left + xAxis.at(value) * (WIDTH - MARGIN.left - MARGIN.right);
  const top = (value: number) =>
    HEIGHT - MARGIN.bottom - yAxis.at(value) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const [bottom, right] = [HEIGHT - MARGIN.bottom, WIDTH - MARGIN.right];
  const names = spread(lines.map(({ points: own }) => top(own.at(-1)?.[1] ?? 1)));
  const parts = [
    text(MARGIN.left, 24, title, 'font-weight="bold" font-size="15"'),
    ...xAxis.ticks.flatMap((tick) => [
      grid(left(tick), MARGIN.top, left(tick), bottom),
      text(left(tick), bottom + 18, toLabel(tick), 'text-anchor="middle"'),
    ]),
    ...yAxis.ticks.flatMap((tick) => [
      grid(MARGIN.left, top(tick), right, top(tick)),
      text(MARGIN.left - 8, top(tick) + 4, toLabel(tick), 'text-anchor="end"'),
    ]),
    text((MARGIN.left + right) / 2, HEIGHT - 12, x, 'text-anchor="middle"'),
    text(0, 0, y, `text-anchor="middle" transform="translate(16 ${(MARGIN.top + bottom) / 2}) rotate(-90)"`),
    ...lines.flatMap((line, i) =>
      drawn(line, COLORS[i % COLORS.length] as string, left, top, [right, names[i] as number]),
    ),
  ];
  const size = `viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="12">
<title>${title}</title>
<rect width="100%" height="100%" fill="#fff"/>
${parts.join('\n')}
</svg>
`;
}

function drawn(
  { name, points }: Line,
  color: string,
  left: (value: number) => number,
  top: (value: number) => number,
  [nameX, nameY]: readonly [number, number],
): string[] {
  const path = points.map(([x, y]) => `${left(x).toFixed(1)},${top(y).toFixed(1)}`);
  return [
    `<polyline points="${path.join(' ')}" fill="none" stroke="${color}" stroke-width="2"/>`,
    ...points.map(
      ([x, y]) => `<circle cx="${left(x).toFixed(1)}" cy="${top(y).toFixed(1)}" r="3.5" fill="${color}"/>`,
    ),
    text(nameX + 8, nameY + 4, name, `fill="${color}"`),
  ];
}

function text(x: number, y: number, content: string, attributes: string): string {
  const escaped = content.replace(/&/g, '&amp;').replace(/</g, '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped}</text>`;
}

function grid(x1: number, y1: number, x2: number, y2: number): string {
  const [from, to] = [
    `x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}"`,
    `x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}"`,
  ];
  return `<line ${from} ${to} stroke="#ccc"/>`;
}

/** 1000 to 1k, 1000000 to 1M; below 1 as it is. */
function toLabel(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  if (value >= 1e3) return `${value / 1e3}k`;
  return String(Number(value.toPrecision(3)));
}
