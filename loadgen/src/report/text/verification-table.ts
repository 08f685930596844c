/** The verification as a user reads it: one row per series, in at most 80 columns, ASCII only. */
import { describeVerification, formatNumbers, NUMBER_HEADERS } from '../../verify/description.ts';
import type { VerificationRow } from '../../verify/rows.ts';
import type { Verification } from '../../verify/verification.ts';
import type { Paint, Style } from './paint.ts';

const COLOURS: Readonly<Record<Verification['verdict'], Style>> = {
  ...{ verified: 'green', inconclusive: 'yellow', unverifiable: 'red', failed: 'red' },
};

/** @returns lines: the rows, the verdict, and what belongs to it */
export function formatVerification(verification: Verification, paint: Paint): string[] {
  const { rows, verdict } = verification;
  const { headline, details } = describeVerification(verification);
  return [
    ...(rows.length > 0 ? [...formatRows(rows, paint), ''] : []),
    paint(COLOURS[verdict], headline),
    ...details.map((text) => `  ${text}`),
  ];
}

function formatRows(rows: readonly VerificationRow[], paint: Paint): string[] {
  const cells = rows.map((row) => {
    const labels = formatLabels(row);
    return { row, labels, name: labels === '' ? row.metric : `  ${labels}`, numbers: formatNumbers(row) };
  });
  const names = cells.flatMap(({ row, name }) => [row.metric, name]);
  const nameWidth = Math.max(...names.map((name) => name.length));
  const widths = NUMBER_HEADERS.map((header, n) =>
    Math.max(header.length, ...cells.map(({ numbers }) => numbers[n]?.length ?? 0)),
  );
  const line = (name: string, numbers: readonly string[]) =>
    [name.padEnd(nameWidth), ...numbers.map((text, n) => text.padStart(widths[n] ?? 0))].join('  ');
  const lines = [paint('bold', line('series', NUMBER_HEADERS))];
  let metricBefore = '';
  for (const { row, labels, name, numbers } of cells) {
    if (labels !== '' && row.metric !== metricBefore) lines.push(row.metric);
    metricBefore = row.metric;
    const text = line(name, numbers);
    lines.push(row.difference === 0 ? text : paint('red', text));
  }
  return lines;
}

/** Below the name of their metric, without braces and commas. */
function formatLabels({ labels }: VerificationRow): string {
  if (labels === null) return 'any other';
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return pairs.join(' ');
}
