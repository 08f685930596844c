/** The verification for users: one row per series, in at most 80 columns, ASCII only. */
import { styleText } from 'node:util';
import { describeVerification, formatNumbers, NUMBER_HEADERS } from '../../verify/description.ts';
import type { VerificationRow } from '../../verify/rows.ts';
import { formatLabels } from '../../verify/series.ts';
import type { Verification } from '../../verify/verification.ts';
import { formatTable } from './table.ts';

/** @returns lines: the rows, the verdict, and its details */
export function formatVerification(verification: Verification): string[] {
  const { rows, verdict } = verification;
  const { headline, details } = describeVerification(verification);
  return [
    ...(rows.length > 0 ? [...formatRows(rows), ''] : []),
    styleText(verdict === 'verified' ? 'green' : verdict === 'inconclusive' ? 'yellow' : 'red', headline),
    ...details.map((text) => `  ${text}`),
  ];
}

function formatRows(rows: readonly VerificationRow[]): string[] {
  const shown = rows.flatMap((row, n) => {
    // The labels are below the name of their metric, without braces and commas.
    const labels = formatLabels(row.labels).join(' ');
    const cells = [labels === '' ? row.metric : `  ${labels}`, ...formatNumbers(row)];
    const isFirst = labels !== '' && row.metric !== rows[n - 1]?.metric;
    const own = { cells, isWrong: row.difference !== 0 };
    return isFirst ? [{ cells: [row.metric], isWrong: false }, own] : [own];
  });
  const lines = formatTable([['series', ...NUMBER_HEADERS], ...shown.map(({ cells }) => cells)]);
  return lines.map((line, n) => (shown[n - 1]?.isWrong ? styleText('red', line) : line));
}
