/** A run: wait, read, send, read again, compare. Everything it reports on the way goes to a {@link RunObserver}. */
import { randomUUID } from 'node:crypto';
import { InterruptedError, NotSentError, reasonOf, UnreachableError, UsageError } from '../common/errors.ts';
import type { MetricsChoice } from '../common/metrics.ts';
import type { Origin } from '../http/origin.ts';
import { isWhole, type Shard } from '../load/shard.ts';
import { formatLost } from '../report/combine.ts';
import { compareLatency } from '../report/latency.ts';
import type { Environment, Report } from '../report/report.ts';
import { type Baseline, completeMetrics, readBaseline } from '../verify/baseline.ts';
import { findBraids } from '../verify/braid.ts';
import { RECORD_VERSION } from '../verify/ledger.ts';
import type { Snapshot } from '../verify/process.ts';
import type { Prometheus } from '../verify/prometheus.ts';
import { readQuantiles } from '../verify/quantiles.ts';
import { findScrapes } from '../verify/scrapes.ts';
import { readSettledSnapshot, sumOf } from '../verify/snapshot.ts';
import { standingOf, unverifiable, type Verification, verify } from '../verify/verification.ts';
import { planIdOf } from './plan.ts';
import { probedTarget, runProbes } from './probe.ts';
import { refuseMissed, type Sender, type SenderObserver, waitUntil } from './sender.ts';

export interface RunOptions {
  readonly target: string;
  readonly sender: Sender;
  readonly seed: number;
  readonly shard: Shard;
  /** On the clock of the day; at once where it is undefined. */
  readonly startAtMs: number | undefined;
  readonly waitMs: number;
  readonly prometheus: Prometheus | undefined;
  readonly job: string;
  readonly metrics: MetricsChoice;
  /** Compare with Prometheus at the end. A shard cannot: the other shards' requests are counted too. */
  readonly verify: boolean;
  readonly onlyOnFreshApi: boolean;
  /** Where to send the probes after the load, each verified by itself; none where it is undefined. */
  readonly probeAt?: Origin | undefined;
  readonly environment: Environment;
  /** Ctrl-C: stop sending, finish what is in flight. */
  readonly signal: AbortSignal;
  readonly observer: RunObserver;
}

export interface RunObserver extends SenderObserver {
  /**
   * The report as far as it goes. The first time, in the state `started`, just before the first request leaves: a killed run
   * leaves a trace, and one that sent nothing does not. It rejects, with a UsageError, only then.
   */
  save(report: Report): Promise<void>;
}

export interface RunOutcome {
  readonly report: Report;
  /** Why there is no verification, where one was asked for: what was sent is shown all the same. */
  readonly unverified?: unknown;
}

/** The API had already handled requests when only a fresh one was wanted. */
export interface NotFresh {
  readonly alreadyHandled: number;
  readonly snapshot: Snapshot;
}

/** The file of the ledger is written this long before the first request of a run that waits for its moment. */
const SAVE_MS = 1_000;

/** @throws InterruptedError at a Ctrl-C before the first request */
export async function run(options: RunOptions): Promise<RunOutcome | NotFresh> {
  const { sender, signal } = options;
  try {
    const begun = await begin(options).catch((error) => {
      throw signal.aborted ? new InterruptedError('interrupted: nothing was sent') : error;
    });
    return 'alreadyHandled' in begun ? begun : await sendAndVerify(options, begun);
  } finally {
    sender.close();
  }
}

/** Everything that comes before the first request. @returns the report as far as it goes */
async function begin(options: RunOptions): Promise<Report | NotFresh> {
  const { sender, prometheus, signal, startAtMs } = options;
  if (options.probeAt !== undefined) probedTarget(sender.phases.flatMap(({ targets }) => targets));
  await sender.prepare();
  const baseline =
    prometheus && (await readBaseline(prometheus, options.metrics, comparison(options, signal)));
  if (baseline !== undefined && options.onlyOnFreshApi) {
    const sums = baseline.metrics.counters.map(({ name }) => sumOf(baseline.before, name));
    const alreadyHandled = Math.max(0, ...sums);
    if (alreadyHandled > 0) return { alreadyHandled, snapshot: baseline.before };
  }
  if (startAtMs !== undefined) {
    await waitUntil(startAtMs - SAVE_MS, AbortSignal.any([signal, sender.lost]));
    refuseMissed(startAtMs);
  }
  signal.throwIfAborted();
  sender.lost.throwIfAborted();
  return startReport(options, baseline);
}

async function sendAndVerify(options: RunOptions, started: Report): Promise<RunOutcome> {
  const { sender, prometheus, observer, startAtMs } = options;
  let sent: Report;
  try {
    await observer.save(started);
    sent = { ...started, ...(await sender.send(startAtMs)) };
  } catch (error) {
    if (error instanceof NotSentError || error instanceof UsageError)
      await observer.save({ ...started, state: 'interrupted', endedAt: new Date().toISOString() });
    throw error;
  }
  await observer.save(sent);
  const isVerifiable = options.verify && isWhole(options.shard) && sent.phases.length > 0;
  if (prometheus === undefined || !isVerifiable) return { report: sent };
  // A run that was interrupted is verified all the same: the first Ctrl-C has done its work, a second ends the process.
  const outcome = await addVerification(sent, prometheus, comparison(options, new AbortController().signal));
  const probed = { ...outcome, report: await addProbes(outcome.report, options, prometheus) };
  if (probed.report.verification !== null) await observer.save(probed.report);
  return probed;
}

async function addProbes(report: Report, options: RunOptions, prometheus: Prometheus): Promise<Report> {
  const { probeAt: origin, sender, observer } = options;
  const { metrics, snapshots } = report;
  if (origin === undefined || metrics === null || snapshots.after === null) return report;
  const target = probedTarget(sender.phases.flatMap(({ targets }) => targets));
  const plan = { origin, target, note: (text: string) => observer.note(text) };
  // Without a note for each of the scrapes that are waited for.
  const reading = { job: options.job, waitMs: options.waitMs, signal: options.signal, metrics };
  return { ...report, probes: await runProbes(plan, prometheus, reading, snapshots.after) };
}

/** Takes the snapshot after a run, and compares. Whatever Prometheus answers, what was sent is not lost. */
export async function addVerification(
  sent: Report,
  prometheus: Prometheus,
  options: Comparison,
): Promise<RunOutcome> {
  const { expectedCounts, lostShards } = sent;
  const { before } = sent.snapshots;
  if (before === null || sent.metrics === null) return { report: sent };
  const lost = lostShards.map((shard) => `${formatLost(shard)}: its requests are unknown`);
  if (lost.length > 0) return { report: { ...sent, verification: unverifiable(expectedCounts, lost) } };
  try {
    const metrics = await completeMetrics(prometheus, sent.metrics, options);
    const compared = { ...options, metrics, beforeOf: () => before };
    const standing = (after: Snapshot) => standingOf(verify(before, after, expectedCounts, metrics), metrics);
    const after = await readSettledSnapshot(prometheus, compared, standing);
    const verification = await explain(verify(before, after, expectedCounts, metrics), () =>
      findScrapes(prometheus, { ...options, metrics }, before, after, expectedCounts),
    );
    const braids = verification.verdict === 'verified' ? await findBraids(prometheus, options) : [];
    const quantiles = await readQuantiles(prometheus, before, after, compared);
    const serviceTimes = sent.phases.map(({ histograms }) => histograms.serviceTime);
    return {
      report: {
        ...sent,
        metrics,
        snapshots: { before, after },
        verification: braids.length > 0 ? unverifiable(expectedCounts, braids) : verification,
        latency: compareLatency(serviceTimes, quantiles),
      },
    };
  } catch (error) {
    if (error instanceof UnreachableError || options.signal.aborted)
      return { report: sent, unverified: error };
    return { report: { ...sent, verification: unverifiable(expectedCounts, [reasonOf(error)]) } };
  }
}

/** Adds what takes more scrapes to find out. A verdict that is known is not lost when Prometheus is. */
async function explain(verification: Verification, findMore: () => Promise<string[]>): Promise<Verification> {
  if (verification.verdict !== 'failed') return verification;
  return { ...verification, notes: [...verification.notes, ...(await findMore().catch(() => []))] };
}

/** How to read snapshots, by whatever metrics. */
type Comparison = Parameters<typeof readBaseline>[2];

function comparison(
  { job, waitMs, observer, metrics: { metrics } }: RunOptions,
  signal: AbortSignal,
): Comparison {
  return {
    ...{ job, waitMs, signal },
    preset: typeof metrics === 'string' && metrics !== 'auto' ? metrics : undefined,
    onWait: (why) => observer.note(`waiting for Prometheus: ${why}`),
    onChoice: (reason) => observer.note(`comparing by ${reason}`),
  };
}

function startReport(options: RunOptions, baseline: Baseline | undefined): Report {
  const { target, prometheus, seed, shard, environment, sender } = options;
  return {
    kind: 'loadgen-run',
    version: RECORD_VERSION,
    id: randomUUID(),
    state: 'started',
    startedAt: new Date().toISOString(),
    endedAt: null,
    target,
    prometheus: prometheus?.url ?? null,
    seed,
    planId: planIdOf(target, seed, shard.of, sender.phases),
    shard,
    lostShards: [],
    environment,
    phases: [],
    expectedCounts: [],
    metrics: baseline?.metrics ?? null,
    snapshots: { before: baseline?.before ?? null, after: null },
    verification: null,
    latency: null,
  };
}
