/** The verdict of a report in one word, and its reasons; shown first on the page. */

import { PROBE_MARKS } from '../common/probe-marks.ts';
import { isWhole } from '../load/shard.ts';
import { describeVerification } from '../verify/description.ts';
import { formatSeries } from '../verify/series.ts';
import { describeLost } from './combine.ts';
import type { ProbeResult, Report } from './report.ts';

export interface Verdict {
  /** `open`: nothing failed, but not everything is known. */
  readonly kind: 'passed' | 'failed' | 'open';
  readonly reasons: readonly string[];
}

export function verdictOf(report: Report): Verdict {
  const { phases, lostShards, verification, probes = [] } = report;
  const reasons = [
    ...describeLost(report),
    ...phases.flatMap(({ pattern, thresholds }) =>
      thresholds.map(
        ({ threshold, ok, measured }) => `${pattern}: ${threshold} ${ok ? 'met' : 'not met'} (${measured})`,
      ),
    ),
    ...describe(verification),
    ...probes.map((probe) => `probe ${describeProbe(probe).join('; ')}`),
  ];
  const hasFailed =
    lostShards.length > 0 ||
    phases.some(({ thresholds }) => thresholds.some(({ ok }) => !ok)) ||
    (verification !== null && verification.verdict !== 'verified') ||
    probes.some((probe) => !hasPassed(probe));
  if (hasFailed) return { kind: 'failed', reasons };
  const open = whyOpen(report);
  return open === undefined ? { kind: 'passed', reasons } : { kind: 'open', reasons: [open] };
}

function describe(verification: Report['verification']): string[] {
  if (verification === null) return ['not compared with Prometheus (needs --prometheus)'];
  const { headline, details } = describeVerification(verification);
  return [headline, ...details];
}

/** Whether a probe has passed. If the outcome of its request is unknown, it passes if the request was counted at most once. */
export function hasPassed({ counted, verification: { verdict } }: ProbeResult): boolean {
  return !counted.some(isUnbounded) && (verdict === 'verified' || verdict === 'inconclusive');
}

/** Whether a label value comes from the request, so that any request can create a series. */
function isUnbounded({ labels }: ProbeResult['counted'][number]): boolean {
  return Object.values(labels).some((value) => PROBE_MARKS.some((mark) => value.includes(mark)));
}

/** The response, the labels under which the request was counted, and what is wrong. */
export function describeProbe(probe: ProbeResult): string[] {
  const { name, statuses, counted, verification } = probe;
  const labels = counted.map(
    ({ labels, count }) => `${count} x ${formatSeries({ metric: '', labels }) || 'counted'}`,
  );
  const answer = statuses.length === 0 ? 'aborted' : statuses.join(' ');
  const { headline, details } = describeVerification(verification);
  return [
    `${name}: ${answer}, ${labels.length === 0 ? 'not counted' : labels.join(', ')}`,
    ...(counted.some(isUnbounded)
      ? ['the requested URL becomes a label value: the number of series is unbounded']
      : []),
    ...(['verified', 'inconclusive'].includes(verification.verdict) ? [] : [headline, ...details]),
  ];
}

/** Why a run is incomplete; undefined if it is complete. */
export function whyOpen({ state, shard, phases }: Report): string | undefined {
  if (state === 'started') return 'the run has not finished, or was killed';
  if (state === 'interrupted' && phases.length === 0) return 'interrupted: nothing was sent';
  if (state === 'interrupted')
    return 'interrupted: the remaining requests were not sent; requests in flight were awaited';
  if (isWhole(shard)) return undefined;
  return `shard ${shard.index} of ${shard.of}: thresholds and verification apply to the whole run (exact-load combine)`;
}
