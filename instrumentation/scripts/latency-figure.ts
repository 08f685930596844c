/**
 * What a quantile can tell, as docs/latency.md shows it: the same 200,000 durations in the default classic buckets and in a native
 * histogram, and the quantiles that PromQL makes of each. `node instrumentation/scripts/latency-figure.ts` writes the picture and
 * prints the table.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createRandom } from '../../testing/random.ts';
import { toNativeHistogram } from '../src/exposition/native-histogram.ts';
import { DURATION_BUCKETS_SECONDS } from '../src/options.ts';
import { createNativeBuckets, slotOf } from '../src/recording/native-buckets.ts';
import { copySlots } from '../src/recording/snapshot.ts';

const DURATIONS = 200_000;
const QUANTILES = [0.5, 0.9, 0.99];

/** Upper bounds in seconds, and how many durations are within each. */
type Cumulated = readonly { readonly bound: number; readonly within: number }[];

const random = createRandom(12);
const examples = [
  { title: 'evenly spread, 2 to 60 ms', draw: () => 2 + 58 * random() },
  {
    title: 'two kinds: 5 to 9 ms, and 15 % 80 to 120 ms',
    draw: () => (random() < 0.85 ? 5 + 4 * random() : 80 + 40 * random()),
  },
].map(({ title, draw }) => ({
  title,
  sorted: Float64Array.from({ length: DURATIONS }, () => draw() / 1000).sort(),
}));

function classic(sorted: Float64Array): Cumulated {
  return DURATION_BUCKETS_SECONDS.map((bound) => ({
    bound,
    within: sorted.findLastIndex((seconds) => seconds <= bound) + 1,
  }));
}

function native(sorted: Float64Array): Cumulated {
  const buckets = createNativeBuckets(1.05);
  const slots = new Float64Array(buckets.slots);
  for (const seconds of sorted) {
    const slot = slotOf(buckets, seconds);
    slots[slot] = (slots[slot] as number) + 1;
  }
  const { spans, deltas, schema } = toNativeHistogram(buckets, copySlots(slots), 160);
  const cumulated: { bound: number; within: number }[] = [];
  const bound = (i: number) => 2 ** (i / 2 ** schema);
  let [index, count, within, next] = [0, 0, 0, 0];
  for (const { offset, length } of spans) {
    index += offset;
    cumulated.push({ bound: bound(index - 1), within });
    for (let k = 0; k < length; k++, index++) {
      count += deltas[next++] as number;
      within += count;
      cumulated.push({ bound: bound(index), within });
    }
  }
  return cumulated;
}

/** As `histogram_quantile` does: evenly within a classic bucket, exponentially within a native one. */
function quantileOf(cumulated: Cumulated, quantile: number, isNative: boolean): number {
  const rank = quantile * DURATIONS;
  const i = cumulated.findIndex(({ within }) => within >= rank);
  const { bound: to, within } = cumulated[i] as Cumulated[number];
  const { bound: from, within: before } = cumulated[i - 1] ?? { bound: 0, within: 0 };
  const share = (rank - before) / (within - before);
  return isNative && from > 0 ? from * (to / from) ** share : from + (to - from) * share;
}

const trueQuantile = (sorted: Float64Array, quantile: number) =>
  sorted[Math.ceil(quantile * DURATIONS) - 1] as number;
const ms = (seconds: number) => (seconds * 1000).toPrecision(3);
function error(told: number, truth: number): string {
  const percent = Math.round((told / truth - 1) * 1000) / 10;
  return `${percent < 0 ? '−' : percent > 0 ? '+' : ''}${Math.abs(percent).toFixed(1)} %`;
}

/** The table of docs/latency.md. */
export function toTable(): string {
  const rows = examples.flatMap(({ title, sorted }) =>
    QUANTILES.map((quantile) => {
      const truth = trueQuantile(sorted, quantile);
      const [byClassic, byNative] = [
        quantileOf(classic(sorted), quantile, false),
        quantileOf(native(sorted), quantile, true),
      ];
      const told = (seconds: number) => `${ms(seconds)} ms (${error(seconds, truth)})`;
      return `| ${title} | p${quantile * 100} | ${ms(truth)} ms | ${told(byClassic)} | ${told(byNative)} |`;
    }),
  );
  return [
    '| latencies | | true | 13 classic buckets | native histogram |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

const [WIDTH, HEIGHT, LEFT, TOP, GAP, MOST_MS] = [380, 220, 52, 46, 70, 130];
const COLOURS = { true: '#222222', classic: '#d55e00', native: '#0072b2' };

const at = (panel: number, milliseconds: number, share: number) =>
  `${(LEFT + panel * (WIDTH + GAP) + (milliseconds / MOST_MS) * WIDTH).toFixed(1)},${(TOP + (1 - share) * HEIGHT).toFixed(1)}`;

function curve(panel: number, points: readonly (readonly [number, number])[], style: string): string {
  return `<polyline fill="none" ${style} points="${points
    .filter(([x]) => x <= MOST_MS)
    .map(([x, y]) => at(panel, x, y))
    .join(' ')}"/>`;
}

const text = (x: number, y: number, content: string, more = '') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${content}</text>`;

function panelOf({ title, sorted }: (typeof examples)[number], panel: number): string {
  const shares = Array.from({ length: 400 }, (_, i) => (i + 1) / 400);
  const told = (cumulated: Cumulated, isNative: boolean) =>
    shares.map((share) => [quantileOf(cumulated, share, isNative) * 1000, share] as const);
  const [byClassic, byNative] = [classic(sorted), native(sorted)];
  const left = LEFT + panel * (WIDTH + GAP);
  const dots = (cumulated: Cumulated, isNative: boolean, colour: string) =>
    [0.9, 0.99].map((share) => {
      const milliseconds = quantileOf(cumulated, share, isNative) * 1000;
      const [x = '', y = ''] = at(panel, Math.min(milliseconds, MOST_MS), share).split(',');
      if (milliseconds <= MOST_MS) return `<circle cx="${x}" cy="${y}" r="4" fill="${colour}"/>`;
      const far = `p${share * 100} at ${milliseconds.toFixed(0)} ms →`;
      return text(Number(x), Number(y) + 40, far, `text-anchor="end" fill="${colour}"`);
    });
  return [
    text(left, TOP - 14, title, 'font-weight="bold"'),
    ...[0, 0.5, 0.9, 0.99].map((share) => {
      const y = TOP + (1 - share) * HEIGHT;
      const label = share === 0 ? '0' : `p${share * 100}`;
      return `<line x1="${left}" x2="${left + WIDTH}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}" stroke="#dddddd"/>${text(left - 8, y + 4 + (share === 0.9 ? 6 : 0), label, 'text-anchor="end" fill="#555555"')}`;
    }),
    ...[0, 25, 50, 75, 100, 125].map((tick) =>
      text(
        left + (tick / MOST_MS) * WIDTH,
        TOP + HEIGHT + 18,
        `${tick}${tick === 125 ? ' ms' : ''}`,
        'text-anchor="middle" fill="#555555"',
      ),
    ),
    curve(
      panel,
      shares.map((share) => [trueQuantile(sorted, share) * 1000, share] as const),
      `stroke="${COLOURS.true}" stroke-width="6" opacity="0.25"`,
    ),
    curve(panel, told(byClassic, false), `stroke="${COLOURS.classic}" stroke-width="2"`),
    curve(panel, told(byNative, true), `stroke="${COLOURS.native}" stroke-width="2"`),
    ...dots(byClassic, false, COLOURS.classic),
    ...dots(byNative, true, COLOURS.native),
  ].join('\n');
}

/** docs/figures/latency.svg: the share of requests that took no longer than a time. */
export function toSvg(): string {
  const [width, height] = [LEFT + 2 * WIDTH + GAP + 24, TOP + HEIGHT + 62];
  const legend = [
    ['true', 'as it was', COLOURS.true],
    ['classic', 'from 13 classic buckets', COLOURS.classic],
    ['native', 'from a native histogram', COLOURS.native],
  ].map(([key, label = '', colour], i) => {
    const x = LEFT + i * 210;
    const y = TOP + HEIGHT + 44;
    const stroke = key === 'true' ? 'stroke-width="6" opacity="0.25"' : 'stroke-width="2"';
    return `<line x1="${x}" x2="${x + 26}" y1="${y - 4}" y2="${y - 4}" stroke="${colour}" ${stroke}/>${text(x + 34, y, label)}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" role="img">`,
    '<title>How many requests took no longer than a time: as it was, and as quantiles of classic and native histograms tell it</title>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...examples.map(panelOf),
    ...legend,
    '</svg>\n',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('../../docs/figures/latency.svg', import.meta.url), toSvg());
  process.stdout.write(`${toTable()}\n`);
}
