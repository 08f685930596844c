/** A verification in words and cells, for every output that shows one. */
import { formatCount, formatNumber } from '../common/units.ts';
import { formatRowName, type VerificationRow } from './rows.ts';
import type { Verification } from './verification.ts';

/** @returns the verdict in a line, and what belongs to it */
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
      headline: `verification inconclusive: ${formatNumber(unknown)} of ${requests} got no complete answer`,
      details: ['the service has counted each of those once or not at all', ...notes],
    };
  }
  const wrong = rows.filter(({ difference }) => difference !== 0);
  return {
    headline: `verification FAILED: ${wrong.length} of ${rows.length} series differ from what was sent`,
    details: [
      ...wrong.map((row) => `${formatRowName(row)}: ${describeDifference(row, verification)}`),
      ...notes,
    ],
  };
}

/** Of targets that declare no series no more than the sum is known. */
function describeVerified({ answered, rows }: Verification): string[] {
  const requests = formatCount(answered, 'request');
  const pooled = Math.max(0, ...rows.map(({ labels, atLeast }) => (labels === null ? atLeast : 0)));
  if (answered === 0) return ['nothing was sent, and nothing counted'];
  if (pooled === 0) return [`${requests}, every one counted exactly once`];
  return [
    `${requests}, counted ${formatNumber(answered)} times in all`,
    `of ${formatNumber(pooled)} only the sum was compared: their targets declare no series`,
  ];
}

function describeDifference(
  { metric, counted, difference }: VerificationRow,
  { inProgress }: Verification,
): string {
  if (metric === inProgress) return `${formatNumber(counted)} where 0 is expected`;
  return `counted ${formatNumber(Math.abs(difference))} ${difference > 0 ? 'more' : 'fewer'} than sent`;
}

/** What was sent, what Prometheus counted, and the difference. */
export const NUMBER_HEADERS = ['sent', 'counted', 'difference'] as const;

export function formatNumbers({ atLeast, atMost, counted, difference }: VerificationRow): string[] {
  const sent =
    atLeast === atMost ? formatNumber(atLeast) : `${formatNumber(atLeast)}..${formatNumber(atMost)}`;
  return [sent, formatNumber(counted), `${difference > 0 ? '+' : ''}${formatNumber(difference)}`];
}
