/** The latency of a run, as the generator and as Prometheus have it: in at most 80 columns, ASCII only. */
import { formatMs, formatRange } from '../common/units.ts';
import type { Latency, LatencyRow } from '../report/latency-schema.ts';
import type { Paint } from './paint.ts';

const HEADERS = ['latency', 'generator', 'prometheus', 'difference', 'explained'] as const;
const NOT_JUDGED =
  'latency: not judged, since requests that go as fast as they can mostly wait; try PATTERN=steady';
const WIDTHS = [10, 11, 16, 18, 19] as const;

/** @returns lines, the last of which is the verdict */
export function formatLatency({ kind, rows, notes }: Latency, paint: Paint): string[] {
  const aside = notes.map((note) => `latency: not compared: ${note}`);
  // Differences that mean nothing would only puzzle; the report has them.
  if (rows.length > 0 && rows.every(({ ok }) => ok === null)) return [...aside, NOT_JUDGED];
  const bySeries = Map.groupBy(
    rows,
    ({ path, method }) => `path=${JSON.stringify(path)} method=${JSON.stringify(method)}`,
  );
  const lines = [...bySeries].flatMap(([series, own]) => [
    series,
    ...own.map((row) => (row.ok === false ? paint('red', formatRow(row)) : formatRow(row))),
  ]);
  return [
    ...(rows.length > 0 ? [paint('bold', line(HEADERS)), ...lines, ''] : []),
    ...aside,
    ...(rows.length > 0 ? [formatVerdict(kind, rows, paint)] : []),
  ];
}

function line(cells: readonly string[]): string {
  return cells
    .map((cell, i) => (i === 0 ? cell.padEnd(WIDTHS[i] ?? 0) : cell.padStart(WIDTHS[i] ?? 0)))
    .join('')
    .trimEnd();
}

function formatRow({ quantile, measuredMs, prometheusMs, bucketMs, explainedMs }: LatencyRow): string {
  const differenceMs = prometheusMs === null ? Number.NaN : prometheusMs - measuredMs;
  return line([
    `  p${quantile * 100}`,
    formatMs(measuredMs),
    prometheusMs === null ? formatRange(bucketMs) : formatMs(prometheusMs),
    prometheusMs === null ? '' : `${formatSigned(differenceMs)} ${formatPercent(differenceMs / measuredMs)}`,
    formatRange(explainedMs),
  ]);
}

function formatSigned(ms: number): string {
  return `${ms < 0 ? '-' : '+'}${formatMs(Math.abs(ms))}`;
}

function formatPercent(ratio: number): string {
  return `(${ratio < 0 ? '-' : '+'}${Math.abs(ratio * 100).toFixed(1)} %)`;
}

function formatVerdict(kind: Latency['kind'], rows: readonly LatencyRow[], paint: Paint): string {
  const source = kind === 'native' ? 'native histograms' : 'classic buckets, which tell a range only';
  const wrong = rows.filter(({ ok }) => ok === false).length;
  if (wrong > 0)
    return paint(
      'red',
      `latency: FAILED, ${wrong} of ${rows.length} quantiles differ by more than is explained (${source})`,
    );
  return paint('green', `latency: ${rows.length} quantiles agree as far as is explained (${source})`);
}
