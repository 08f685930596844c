/** What a report says in one word, and why: what stands first on the page. */
import { isWhole } from '../load/shard.ts';
import { describeVerification } from '../verify/description.ts';
import { formatLost } from './combine.ts';
import type { Report } from './report.ts';

export interface Verdict {
  /** `open`: nothing failed, and not everything is known. */
  readonly kind: 'passed' | 'failed' | 'open';
  readonly reasons: readonly string[];
}

export function verdictOf(report: Report): Verdict {
  const { phases, lostShards, verification } = report;
  const thresholds = phases.flatMap(({ pattern, thresholds: all }) =>
    all.map(({ threshold, ok, measured }) => ({
      ok,
      text: `${pattern}: ${threshold} ${ok ? 'held' : 'did not hold'} (${measured})`,
    })),
  );
  const problems = lostShards.map((shard) => `${formatLost(shard)}: it is in none of these numbers`);
  const reasons = [...problems, ...thresholds.map(({ text }) => text), ...describe(verification)];
  const isUnverified = verification !== null && verification.verdict !== 'verified';
  if (problems.length > 0 || isUnverified || thresholds.some(({ ok }) => !ok))
    return { kind: 'failed', reasons };
  const open = whyOpen(report);
  return open === undefined ? { kind: 'passed', reasons } : { kind: 'open', reasons: [open] };
}

function describe(verification: Report['verification']): string[] {
  if (verification === null) return ['not compared with Prometheus (--prometheus)'];
  const { headline, details } = describeVerification(verification);
  return [headline, ...details];
}

/** What became of a run, where that is not simply its end. */
export function whyOpen({ state, shard, phases }: Report): string | undefined {
  if (state === 'started') return 'the run has not ended, or was killed';
  if (state === 'interrupted' && phases.length === 0) return 'interrupted: nothing was sent';
  if (state === 'interrupted') return 'interrupted: the rest was not sent; what had been sent was waited for';
  if (isWhole(shard)) return undefined;
  return `shard ${shard.index} of ${shard.of}: thresholds and verification are about the whole (exact-load combine)`;
}
