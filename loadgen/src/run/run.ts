/** A run: wait, read, send, read again, compare. Everything it tells on the way goes to a {@link RunObserver}. */
import { randomUUID } from 'node:crypto';
import { reasonOf, UnreachableError } from '../common/errors.ts';
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
  /** The report as far as it goes; the first time before the first request leaves, so that a killed run leaves a trace. */
  save(report: Report): Promise<void>;
}

export interface RunOutcome {
  readonly report: Report;
  /** Why the reading after the run could not be taken; then there is no proof. */
  readonly unreachable?: UnreachableError;
}

/** The API had already handled requests when only a fresh one was wanted. */
export interface NotFresh {
  readonly alreadyHandled: number;
  readonly reading: Reading;
}

export async function run(options: RunOptions): Promise<RunOutcome | NotFresh> {
  const { sender, prometheus, observer, signal } = options;
  await sender.prepare();
  const before =
    prometheus === undefined ? null : await takeReading(prometheus, readingOptions(options, signal));
  if (before !== null && options.onlyOnFreshApi) {
    const alreadyHandled = sumOf(before, DURATIONS);
    if (alreadyHandled > 0) return { alreadyHandled, reading: before };
  }
  const started = startReport(options, before);
  await observer.save(started);
  const sent = await sender.send(options.startAtMs ?? Date.now(), started);
  await observer.save(sent);
  if (prometheus === undefined || !options.verify || !isWhole(options.shard)) return { report: sent };
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
    options.signal.throwIfAborted();
    if (error instanceof UnreachableError) return { report: sent, unreachable: error };
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
