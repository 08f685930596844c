/** The verification as a person reads it: one row per series, in at most 80 columns, ASCII only. */
import { formatCount, formatNumber } from '../../common/units.ts';
import { formatRowName, type VerificationRow } from '../../verify/rows.ts';
import { IN_PROGRESS } from '../../verify/series.ts';
import { formatVerified, type Verification } from '../../verify/verification.ts';
import type { Paint } from './paint.ts';

const HEADERS = ['series', 'sent', 'counted', 'difference'] as const;

/** @returns lines: the rows, the verdict, and what belongs to it */
export function formatVerification(verification: Verification, paint: Paint): string[] {
  const lines = verification.rows.length > 0 ? [...formatRows(verification.rows, paint), ''] : [];
  return [...lines, ...formatVerdict(verification, paint)];
}

function formatRows(rows: readonly VerificationRow[], paint: Paint): string[] {
  const cells = rows.map((row) => ({ row, labels: formatLabels(row), numbers: toNumbers(row) }));
  const names = cells.map(({ row, labels }) => (labels === '' ? row.metric : `  ${labels}`));
  const nameWidth = Math.max(...[...names, ...rows.map(({ metric }) => metric)].map((name) => name.length));
  const widths = [1, 2, 3].map((column) =>
    Math.max(HEADERS[column]?.length ?? 0, ...cells.map(({ numbers }) => numbers[column - 1]?.length ?? 0)),
  );
  const line = (name: string, numbers: readonly string[]) =>
    [name.padEnd(nameWidth), ...numbers.map((text, column) => text.padStart(widths[column] ?? 0))].join('  ');
  const [first, ...others] = HEADERS;
  const lines = [paint('bold', line(first, others))];
  let metricBefore = '';
  cells.forEach(({ labels, row, numbers }, index) => {
    if (labels !== '' && row.metric !== metricBefore) lines.push(row.metric);
    metricBefore = row.metric;
    const text = line(names[index] ?? '', numbers);
    lines.push(row.difference === 0 ? text : paint('red', text));
  });
  return lines;
}

/** Below the name of their metric, without braces and commas. */
function formatLabels({ labels }: VerificationRow): string {
  if (labels === null) return 'any other';
  return Object.entries(labels)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    .join(' ');
}

function toNumbers({ atLeast, atMost, counted, difference }: VerificationRow): string[] {
  const sent =
    atLeast === atMost ? formatNumber(atLeast) : `${formatNumber(atLeast)}..${formatNumber(atMost)}`;
  return [sent, formatNumber(counted), `${difference > 0 ? '+' : ''}${formatNumber(difference)}`];
}

function formatVerdict(verification: Verification, paint: Paint): string[] {
  const { verdict, answered, unknown, rows, obstacles, notes } = verification;
  const below = (texts: readonly string[]) => texts.map((text) => `  ${text}`);
  if (verdict === 'verified') {
    const [claim, ...more] = formatVerified(verification);
    return [paint('green', `verified: ${claim}`), ...below([...more, ...notes])];
  }
  if (verdict === 'unverifiable') return [paint('red', 'unverifiable:'), ...below([...obstacles, ...notes])];
  if (verdict === 'inconclusive') {
    if (unknown === 0) return [paint('yellow', 'verification inconclusive:'), ...below(notes)];
    const requests = formatCount(answered + unknown, 'request');
    return [
      paint(
        'yellow',
        `verification inconclusive: ${formatNumber(unknown)} of ${requests} got no complete answer`,
      ),
      ...below(['the API has counted each of those once or not at all', ...notes]),
    ];
  }
  const wrong = rows.filter(({ difference }) => difference !== 0);
  return [
    paint('red', `verification FAILED: ${wrong.length} of ${rows.length} series differ from what was sent`),
    ...below([...wrong.map((row) => `${formatRowName(row)}: ${formatDifference(row)}`), ...notes]),
  ];
}

function formatDifference({ metric, counted, difference }: VerificationRow): string {
  if (metric === IN_PROGRESS) return `${formatNumber(counted)} where 0 is expected`;
  return `counted ${formatNumber(Math.abs(difference))} ${difference > 0 ? 'more' : 'fewer'} than sent`;
}
