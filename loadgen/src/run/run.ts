/** A run: waits, takes a snapshot, sends, takes another snapshot, compares. Reports progress to a {@link RunObserver}. */
import { randomUUID } from 'node:crypto';
import { InterruptedError, NotSentError, reasonOf, UnreachableError, UsageError } from '../common/errors.ts';
import type { MetricsChoice } from '../common/metrics.ts';
import type { Origin } from '../http/origin.ts';
import { isWhole, type Shard } from '../load/shard.ts';
import { formatLost } from '../report/combine.ts';
import { compareLatency } from '../report/latency.ts';
import type { Environment, Report } from '../report/report.ts';
import { type Baseline, type BaselineOptions, completeMetrics, readBaseline } from '../verify/baseline.ts';
import { findBraids } from '../verify/braid.ts';
import { RECORD_VERSION } from '../verify/ledger.ts';
import type { Snapshot } from '../verify/process.ts';
import type { Prometheus } from '../verify/prometheus.ts';
import { readQuantiles } from '../verify/quantiles.ts';
import { findScrapes } from '../verify/scrapes.ts';
import { readSettledSnapshot, sumOfMetric } from '../verify/snapshot.ts';
import { standingOf, unverifiable, type Verification, verify } from '../verify/verification.ts';
import { planIdOf } from './plan.ts';
import { probedTarget, runProbes } from './probe.ts';
import type { SenderObserver } from './progress.ts';
import { refuseMissed, type Sender, waitUntil } from './sender.ts';

export interface RunOptions {
  readonly origin: Origin;
  readonly sender: Sender;
  readonly seed: number;
  readonly shard: Shard;
  /** Wall-clock time; immediately if undefined. */
  readonly startAtMs: number | undefined;
  readonly waitMs: number;
  readonly prometheus: Prometheus | undefined;
  readonly job: string;
  readonly metrics: MetricsChoice;
  /** Whether to compare with Prometheus at the end. Not possible for a shard, because requests of other shards are counted too. */
  readonly verify: boolean;
  readonly onlyOnFreshApi: boolean;
  /** Whether to send probes after the load, each verified separately. */
  readonly probe?: boolean | undefined;
  readonly environment: Environment;
  /** Ctrl-C: stops sending, and waits for requests in flight. */
  readonly signal: AbortSignal;
  readonly observer: RunObserver;
}

export interface RunObserver extends SenderObserver {
  /**
   * Saves the report so far. First called in the state `started`, just before the first request, so that a run that is killed
   * leaves a trace, but a run that sent nothing does not. Only this first call may reject, with a UsageError.
   */
  save(report: Report): Promise<void>;
}

export interface RunOutcome {
  readonly report: Report;
  /** Why a requested verification is missing. The rest of the report is still shown. */
  readonly unverified?: unknown;
}

/** The result if `onlyOnFreshApi` is set and the API had already handled requests. */
export interface NotFresh {
  readonly alreadyHandled: number;
  readonly snapshot: Snapshot;
}

/** A run with a start time writes its file in the ledger this long before the first request. */
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

/** All steps before the first request. @returns the report so far */
async function begin(options: RunOptions): Promise<Report | NotFresh> {
  const { sender, prometheus, signal, startAtMs } = options;
  if (options.probe) probedTarget(sender.phases);
  await sender.prepare();
  const baseline =
    prometheus && (await readBaseline(options.metrics, comparison(options, prometheus, signal)));
  if (baseline !== undefined && options.onlyOnFreshApi) {
    const sums = baseline.metrics.counters.map(({ name }) => sumOfMetric(baseline.before, name));
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
  // Interrupted runs are verified too. The first Ctrl-C has already taken effect, and a second one exits the process.
  const outcome = await addVerification(sent, comparison(options, prometheus, new AbortController().signal));
  const probed = { ...outcome, report: await addProbes(outcome.report, options, prometheus) };
  if (probed.report.verification !== null) await observer.save(probed.report);
  return probed;
}

async function addProbes(report: Report, options: RunOptions, prometheus: Prometheus): Promise<Report> {
  const { metrics, snapshots } = report;
  if (!options.probe || metrics === null || snapshots.after === null) return report;
  const sending = { ...options, phases: options.sender.phases };
  return { ...report, probes: await runProbes(sending, prometheus, metrics, snapshots.after) };
}

/** Takes the snapshot after a run and compares. Errors of Prometheus do not discard the rest of the report. */
export async function addVerification(sent: Report, options: BaselineOptions): Promise<RunOutcome> {
  const { expectedCounts, lostShards } = sent;
  const { before } = sent.snapshots;
  if (before === null || sent.metrics === null) return { report: sent };
  const lost = lostShards.map((shard) => `${formatLost(shard)}: its requests are unknown`);
  if (lost.length > 0) return { report: { ...sent, verification: unverifiable(expectedCounts, lost) } };
  try {
    const metrics = await completeMetrics(sent.metrics, options);
    const compared = { ...options, metrics, beforeOf: () => before };
    const standing = (after: Snapshot) => standingOf(verify(before, after, expectedCounts, metrics), metrics);
    const after = await readSettledSnapshot(compared, standing);
    const verification = await explain(verify(before, after, expectedCounts, metrics), () =>
      findScrapes({ ...options, metrics }, before, after, expectedCounts),
    );
    const braids = verification.verdict === 'verified' ? await findBraids(options) : [];
    const serviceTimes = sent.phases.map(({ histograms }) => histograms.serviceTime);
    const verified = {
      metrics,
      snapshots: { before, after },
      verification: braids.length > 0 ? unverifiable(expectedCounts, braids) : verification,
      latency: compareLatency(serviceTimes, await readQuantiles(compared, before, after)),
    };
    return { report: { ...sent, ...verified } };
  } catch (error) {
    if (error instanceof UnreachableError || options.signal.aborted)
      return { report: sent, unverified: error };
    return { report: { ...sent, verification: unverifiable(expectedCounts, [reasonOf(error)]) } };
  }
}

/** Adds findings that need more scrapes. If Prometheus becomes unreachable, the verdict is kept. */
async function explain(verification: Verification, findMore: () => Promise<string[]>): Promise<Verification> {
  if (verification.verdict !== 'failed') return verification;
  return { ...verification, notes: [...verification.notes, ...(await findMore().catch(() => []))] };
}

function comparison(
  { job, waitMs, observer, metrics: { metrics } }: RunOptions,
  prometheus: Prometheus,
  signal: AbortSignal,
): BaselineOptions {
  return {
    ...{ prometheus, job, waitMs, signal },
    preset: typeof metrics === 'string' && metrics !== 'auto' ? metrics : undefined,
    onWait: (why) => observer.note(`waiting for Prometheus: ${why}`),
    onChoice: (reason) => observer.note(`comparing by ${reason}`),
  };
}

function startReport(options: RunOptions, baseline: Baseline | undefined): Report {
  const { prometheus, seed, shard, environment, sender } = options;
  const { url: target } = options.origin;
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
