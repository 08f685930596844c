/** Describes a verification in words and cells, for all outputs. */
import { formatCount, formatNumber } from '../common/units.ts';
import type { VerificationRow } from './rows.ts';
import { formatSeries } from './series.ts';
import type { Verification } from './verification.ts';

/** @returns the verdict as a line, and its details */
export function describeVerification(verification: Verification): { headline: string; details: string[] } {
  const { verdict, answered, unknown, rows, obstacles, notes } = verification;
  if (verdict === 'verified') {
    const [claim, ...more] = describeVerified(verification);
    return { headline: `verified: ${claim}`, details: [...more, ...notes] };
  }
  if (verdict === 'unverifiable') return { headline: 'unverifiable:', details: [...obstacles, ...notes] };
  if (verdict === 'inconclusive') {
    if (unknown === 0) return { headline: 'verification inconclusive:', details: notes };
    const requests = formatCount(answered + unknown, 'request');
    return {
      headline: `verification inconclusive: ${formatNumber(unknown)} of ${requests} got no complete response`,
      details: ['the service counted each of those once or not at all', ...notes],
    };
  }
  const wrong = rows.filter(({ difference }) => difference !== 0);
  return {
    headline: `verification FAILED: ${wrong.length} of ${rows.length} series differ from what was sent`,
    details: [
      ...wrong.map((row) => `${formatSeries(row)}: ${describeDifference(row, verification)}`),
      ...notes,
    ],
  };
}

/** If targets declare no route, only sums are known. */
function describeVerified({ answered, compared = answered, undeclared = 0 }: Verification): string[] {
  if (answered === 0) return ['no requests were sent, and none were counted'];
  const requests = formatCount(answered, 'request');
  const left = answered - compared;
  const others = left > 0 ? [`no compared counter contains the other ${formatNumber(left)}`] : [];
  if (undeclared === 0)
    return [
      left > 0
        ? `${formatNumber(compared)} of ${requests}, each counted exactly once`
        : `${requests}, every one counted exactly once`,
      ...others,
    ];
  return [
    `${formatCount(compared, 'request')}, counted ${compared === 1 ? 'once' : `${formatNumber(compared)} times`} in total`,
    `routes were not compared: the targets of ${formatCount(undeclared, 'request')} declare none (series, --route)`,
    ...others,
  ];
}

function describeDifference(
  { metric, counted, difference }: VerificationRow,
  { inProgress }: Verification,
): string {
  if (metric === inProgress) return `expected 0, got ${formatNumber(counted)}`;
  return `counted ${formatNumber(Math.abs(difference))} ${difference > 0 ? 'more' : 'fewer'} than sent`;
}

/** The number of sent requests, the number in Prometheus, and the difference. */
export const NUMBER_HEADERS = ['sent', 'counted', 'difference'] as const;

export function formatNumbers({ atLeast, atMost, counted, difference }: VerificationRow): string[] {
  const sent =
    atLeast === atMost ? formatNumber(atLeast) : `${formatNumber(atLeast)}..${formatNumber(atMost)}`;
  return [sent, formatNumber(counted), `${difference > 0 ? '+' : ''}${formatNumber(difference)}`];
}
