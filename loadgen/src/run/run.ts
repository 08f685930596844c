/** A run: wait, read, send, read again, compare. Everything it tells on the way goes to a {@link RunObserver}. */
import { randomUUID } from 'node:crypto';
import { InterruptedError, NotSentError, reasonOf, UnreachableError, UsageError } from '../common/errors.ts';
import { isWhole, type Shard } from '../load/shard.ts';
import type { Reading } from '../proof/process.ts';
import type { Prometheus } from '../proof/prometheus.ts';
import { impossible, prove, standingOf } from '../proof/proof.ts';
import { readQuantiles } from '../proof/quantiles.ts';
import { type ReadingOptions, sumOf, takeReading, takeSettledReading } from '../proof/reading.ts';
import { RECORD_VERSION } from '../proof/record.ts';
import { DURATIONS } from '../proof/series.ts';
import { withoutLost } from '../report/combine.ts';
import { setSideBySide } from '../report/latency.ts';
import type { Environment, Report } from '../report/report.ts';
import { planIdOf } from './plan.ts';
import type { Sender, SenderObserver } from './sender.ts';
import { refuseMissed, waitUntil } from './start.ts';

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
  /** Compare with Prometheus at the end. A shard cannot: the other shards' requests are counted too. */
  readonly verify: boolean;
  readonly onlyOnFreshApi: boolean;
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
  /** Why there is no proof, where one was asked for: what was sent is shown all the same. */
  readonly unproved?: unknown;
}

/** The API had already handled requests when only a fresh one was wanted. */
export interface NotFresh {
  readonly alreadyHandled: number;
  readonly reading: Reading;
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
    return 'alreadyHandled' in begun ? begun : await sendAndProve(options, begun);
  } finally {
    sender.close();
  }
}

/** Everything that comes before the first request. @returns the report as far as it goes */
async function begin(options: RunOptions): Promise<Report | NotFresh> {
  const { sender, prometheus, signal, startAtMs } = options;
  await sender.prepare();
  const before =
    prometheus === undefined ? null : await takeReading(prometheus, readingOptions(options, signal));
  if (before !== null && options.onlyOnFreshApi) {
    const alreadyHandled = sumOf(before, DURATIONS);
    if (alreadyHandled > 0) return { alreadyHandled, reading: before };
  }
  if (startAtMs !== undefined) {
    await waitUntil(startAtMs - SAVE_MS, AbortSignal.any([signal, sender.lost]));
    refuseMissed(startAtMs);
  }
  signal.throwIfAborted();
  sender.lost.throwIfAborted();
  return startReport(options, before);
}

async function sendAndProve(options: RunOptions, started: Report): Promise<RunOutcome> {
  const { sender, prometheus, observer, startAtMs } = options;
  let sent: Report;
  try {
    await observer.save(started);
    sent = await sender.send(startAtMs, started);
  } catch (error) {
    if (error instanceof NotSentError || error instanceof UsageError)
      await observer.save({ ...started, state: 'interrupted', endedAt: new Date().toISOString() });
    throw error;
  }
  await observer.save(sent);
  const isProvable = options.verify && isWhole(options.shard) && sent.phases.length > 0;
  if (prometheus === undefined || !isProvable) return { report: sent };
  // A run that was interrupted is proved all the same: the first Ctrl-C has done its work, a second ends the process.
  const outcome = await addProof(sent, prometheus, readingOptions(options, new AbortController().signal));
  if (outcome.report.proof !== null) await observer.save(outcome.report);
  return outcome;
}

/** Takes the reading after a run, and compares. Whatever Prometheus answers, what was sent is not lost. */
export async function addProof(
  sent: Report,
  prometheus: Prometheus,
  options: ReadingOptions,
): Promise<RunOutcome> {
  const { before } = sent.readings;
  if (before === null) return { report: sent };
  const lost = withoutLost(sent.tally, sent.lostShards);
  if (lost !== undefined) return { report: { ...sent, proof: lost } };
  try {
    const standing = (after: Reading) => standingOf(prove(before, after, sent.tally));
    const after = await takeSettledReading(prometheus, { ...options, beforeOf: () => before }, standing);
    const quantiles = await readQuantiles(prometheus, before, after, options.job, options.signal);
    return {
      report: {
        ...sent,
        readings: { before, after },
        proof: prove(before, after, sent.tally),
        latency: setSideBySide(
          sent.phases.map(({ histograms }) => histograms.serviceTime),
          quantiles,
        ),
      },
    };
  } catch (error) {
    if (error instanceof UnreachableError || options.signal.aborted) return { report: sent, unproved: error };
    return { report: { ...sent, proof: impossible(sent.tally, [reasonOf(error)]) } };
  }
}

function readingOptions({ job, waitMs, observer }: RunOptions, signal: AbortSignal): ReadingOptions {
  return { job, waitMs, signal, onWait: (why) => observer.note(`waiting for Prometheus: ${why}`) };
}

function startReport(options: RunOptions, before: Reading | null): Report {
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
    tally: [],
    readings: { before, after: null },
    proof: null,
    latency: null,
  };
}
