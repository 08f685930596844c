/** `--probe`: a few requests that instrumentations often miscount, each sent and verified separately. */
import { reasonOf, UsageError } from '../common/errors.ts';
import type { ExpectedCount } from '../common/expected-counts.ts';
import { type Metrics, wholeCounterOf } from '../common/metrics.ts';
import { sumRecords } from '../common/sums.ts';
import { createProbes, type Probe, sendProbe } from '../http/probes.ts';
import type { Target } from '../pattern/pattern.ts';
import type { ProbeResult } from '../report/report.ts';
import type { Snapshot } from '../verify/process.ts';
import type { Prometheus } from '../verify/prometheus.ts';
import { readSettledSnapshot } from '../verify/snapshot.ts';
import { countedBetween, standingOf, unverifiable, verify } from '../verify/verification.ts';
import type { Phase } from './plan.ts';
import type { SenderOptions } from './sender.ts';

const TIMEOUT_MS = 10_000;

/** The target of the probes. @throws UsageError if no target has method GET and an expected status below 400 */
export function probedTarget(phases: readonly Phase[]): Target {
  const targets = phases.flatMap((phase) => phase.targets);
  const found = targets.find(({ method, expect = 200 }) => method === 'GET' && expect < 400);
  if (found === undefined)
    throw new UsageError('--probe: expected a target with method GET that is not an error');
  return found;
}

/** @param before the snapshot after the load */
export async function runProbes(
  { origin, phases, observer, job, waitMs, signal }: SenderOptions & { readonly job: string },
  prometheus: Prometheus,
  allMetrics: Metrics,
  before: Snapshot,
): Promise<ProbeResult[]> {
  const target = probedTarget(phases);
  const results: ProbeResult[] = [];
  let earlier = before;
  for (const probe of createProbes(target.path)) {
    observer.note(`probe: ${probe.name}`);
    // If the connection breaks, there is no response, but the request may have been counted.
    const statuses = await sendProbe(origin, probe, TIMEOUT_MS).catch(() => []);
    const sent = [expectedOf(probe, statuses, target)];
    const metrics = probe.isRouted ? allMetrics : withoutMethods(allMetrics);
    const [first, beforeOf] = [earlier, () => first];
    const standing = (after: Snapshot) => standingOf(verify(first, after, sent, metrics), metrics);
    try {
      // Without the option to print a note for each awaited scrape.
      const options = { prometheus, job, waitMs, signal, metrics: allMetrics, beforeOf };
      earlier = await readSettledSnapshot(options, standing);
    } catch (error) {
      const verification = unverifiable(sent, [reasonOf(error)]);
      return [...results, { name: probe.name, statuses, counted: [], verification }];
    }
    const verification = verify(first, earlier, sent, metrics);
    const counted = growthOf(first, earlier, allMetrics);
    results.push({ name: probe.name, statuses, counted, verification });
  }
  return results;
}

/** Requests that no route handles may be counted under another method, for example `other`. */
function withoutMethods(metrics: Metrics): Metrics {
  return { ...metrics, counters: metrics.counters.map(({ method, ...counter }) => counter) };
}

function growthOf(before: Snapshot, after: Snapshot, metrics: Metrics): ProbeResult['counted'] {
  const grown = countedBetween(before, after, metrics);
  const whole = wholeCounterOf(metrics);
  return grown
    .seriesWith()
    .filter((series) => series.metric === whole?.name && grown.of(series) !== 0)
    .map((series) => ({ ...series, count: grown.of(series) }));
}

function expectedOf(
  { requests, isRouted }: Probe,
  statuses: readonly number[],
  { series }: Target,
): ExpectedCount {
  const [{ method, path } = { method: 'GET', path: '/' }] = requests;
  const answered = sumRecords(statuses.map((status) => ({ [status]: 1 })));
  return {
    route: isRouted === false ? '' : ((isRouted && series?.route) ?? null),
    ...{ method, path, answered, unknown: requests.length - statuses.length, notSent: 0 },
  };
}
