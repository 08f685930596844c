/** The proof as a person reads it: one row per series, in at most 80 columns, ASCII only. */
import { formatCount, formatNumber } from '../common/units.ts';
import { formatProved, type Proof } from '../proof/proof.ts';
import { formatRowName, type ProofRow } from '../proof/rows.ts';
import { IN_PROGRESS } from '../proof/series.ts';
import type { Paint } from './paint.ts';

const HEADERS = ['series', 'sent', 'counted', 'difference'] as const;

/** @returns lines: the rows, the verdict, and what belongs to it */
export function formatProof(proof: Proof, paint: Paint): string[] {
  const lines = proof.rows.length > 0 ? [...formatRows(proof.rows, paint), ''] : [];
  return [...lines, ...formatVerdict(proof, paint)];
}

function formatRows(rows: readonly ProofRow[], paint: Paint): string[] {
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
function formatLabels({ labels }: ProofRow): string {
  if (labels === null) return 'any other';
  return Object.entries(labels)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    .join(' ');
}

function toNumbers({ atLeast, atMost, counted, difference }: ProofRow): string[] {
  const sent =
    atLeast === atMost ? formatNumber(atLeast) : `${formatNumber(atLeast)}..${formatNumber(atMost)}`;
  return [sent, formatNumber(counted), `${difference > 0 ? '+' : ''}${formatNumber(difference)}`];
}

function formatVerdict(proof: Proof, paint: Paint): string[] {
  const { verdict, answered, unknown, rows, obstacles, notes } = proof;
  const below = (texts: readonly string[]) => texts.map((text) => `  ${text}`);
  if (verdict === 'proved') {
    const [claim, ...more] = formatProved(proof);
    return [paint('green', `proof: ${claim}`), ...below([...more, ...notes])];
  }
  if (verdict === 'impossible')
    return [paint('red', 'proof: impossible'), ...below([...obstacles, ...notes])];
  if (verdict === 'inconclusive') {
    if (unknown === 0) return [paint('yellow', 'proof: inconclusive'), ...below(notes)];
    const requests = formatCount(answered + unknown, 'request');
    return [
      paint('yellow', `proof: inconclusive, ${formatNumber(unknown)} of ${requests} got no complete answer`),
      ...below(['the API has counted each of those once or not at all', ...notes]),
    ];
  }
  const wrong = rows.filter(({ difference }) => difference !== 0);
  return [
    paint('red', `proof: FAILED, ${wrong.length} of ${rows.length} series differ from what was sent`),
    ...below([...wrong.map((row) => `${formatRowName(row)}: ${formatDifference(row)}`), ...notes]),
  ];
}

function formatDifference({ metric, counted, difference }: ProofRow): string {
  if (metric === IN_PROGRESS) return `${formatNumber(counted)} where 0 is expected`;
  return `counted ${formatNumber(Math.abs(difference))} ${difference > 0 ? 'more' : 'fewer'} than sent`;
}
