/** What a report says in one word, and why: what stands first on the page. */
import { formatCount } from '../common/units.ts';
import { isWhole } from '../load/shard.ts';
import { formatVerified } from '../verify/verification.ts';
import { formatLost } from './combine.ts';
import type { Report } from './report.ts';

export interface Verdict {
  /** `open`: nothing failed, and not everything is known. */
  readonly kind: 'passed' | 'failed' | 'open';
  readonly reasons: readonly string[];
}

export function judge(report: Report): Verdict {
  const bad = findFailures(report);
  if (bad.length > 0) return { kind: 'failed', reasons: bad };
  if (report.state === 'started') return { kind: 'open', reasons: ['the run has not ended, or was killed'] };
  if (report.state === 'interrupted')
    return { kind: 'open', reasons: ['interrupted: the rest was not sent'] };
  if (!isWhole(report.shard)) {
    const { index, of } = report.shard;
    return { kind: 'open', reasons: [`shard ${index} of ${of}: judged when all are combined`] };
  }
  const thresholds = report.phases.flatMap((phase) => phase.thresholds).length;
  return {
    kind: 'passed',
    reasons: [
      `${formatCount(thresholds, 'threshold')} held`,
      ...(report.verification === null
        ? ['not compared with Prometheus']
        : [...formatVerified(report.verification), ...report.verification.notes]),
    ],
  };
}

function findFailures({ state, phases, lostShards, verification }: Report): string[] {
  const broken = phases.flatMap(({ pattern, thresholds }) =>
    thresholds
      .filter(({ ok }) => !ok)
      .map(({ threshold, measured }) => `${pattern}: ${threshold} did not hold (${measured})`),
  );
  const lost = lostShards.map((shard) => `${formatLost(shard)}: it is in none of these numbers`);
  const gaveUp = state === 'gave-up' ? ['given up: nothing was answered for 30 s'] : [];
  return [
    ...gaveUp,
    ...lost,
    ...broken,
    ...(verification === null ? [] : describeVerification(verification)),
  ];
}

function describeVerification({
  verdict,
  rows,
  unknown,
  notes,
}: NonNullable<Report['verification']>): string[] {
  if (verdict === 'verified') return [];
  if (verdict === 'unverifiable') return ['unverifiable'];
  if (verdict === 'inconclusive') {
    const open = unknown > 0 ? [`${formatCount(unknown, 'request')} got no complete answer`] : [];
    return [`verification inconclusive: ${[...open, ...notes].join('; ')}`];
  }
  const wrong = rows.filter(({ difference }) => difference !== 0).length;
  return [`verification failed: ${wrong} of ${rows.length} series differ from what was sent`, ...notes];
}
