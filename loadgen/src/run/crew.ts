/**
 * Several processes that send one schedule together, each a shard of it: more than one core. This process only gives the
 * orders and adds up. A worker that is lost is named, and the others finish.
 */
import { CheckError, UnreachableError } from '../common/errors.ts';
import { partOf, type Shard } from '../load/shard.ts';
import { combine, formatLost } from '../report/combine.ts';
import type { LostShard, Report } from '../report/report.ts';
import { createProgress, type Snapshot } from './progress.ts';
import type { Sender, SenderOptions } from './sender.ts';
import type { FromWorker, Order, ToWorker } from './worker.ts';

/** The other end of a worker. */
export interface WorkerProcess {
  send(message: ToWorker): void;
  onMessage(listener: (message: FromWorker) => void): void;
  /** `how` says with which code or signal. */
  onExit(listener: (how: string) => void): void;
}

export interface CrewOptions extends SenderOptions {
  readonly workers: number;
  readonly shard: Shard;
  readonly order: Omit<Order, 'shard'>;
  startWorker(): WorkerProcess;
}

/** All workers begin this long after the last was ready. */
const LEAD_MS = 50;

export function createCrew(options: CrewOptions, own: Sender): Sender {
  let members: Member[] = [];
  return {
    phases: options.phases,
    async prepare() {
      await own.prepare();
      members = Array.from({ length: options.workers }, (_, n) => {
        const shard = partOf(options.shard, n + 1, options.workers);
        return new Member(options.startWorker(), { ...options.order, shard });
      });
      await Promise.all(members.map(({ ready }) => ready));
    },
    async send(startAtMs, started) {
      const stop = () => {
        for (const member of members) member.tell({ kind: 'stop' });
      };
      options.signal.addEventListener('abort', stop);
      const ends = members.map(({ ended }) => ended);
      const atMs = Math.max(startAtMs, Date.now() + LEAD_MS);
      const watching = watchPhases(options, members, atMs);
      for (const member of members) member.tell({ kind: 'start', atMs, started });
      if (options.signal.aborted) stop();
      const results = await Promise.all(ends);
      await watching.end();
      options.signal.removeEventListener('abort', stop);
      const lost = results.filter((result) => 'reason' in result);
      const parts = results.filter((result) => 'phases' in result);
      if (parts.length === 0) throw new CheckError(lost.map(formatLost).join('\n'));
      const { id, startedAt, readings } = started;
      return { ...combine(parts, options.shard, lost), id, startedAt, readings };
    },
  };
}

class Member {
  readonly #process: WorkerProcess;
  snapshot: Snapshot = { sent: 0, errors: 0, dropped: 0, inFlight: 0, p50Ms: Number.NaN, p99Ms: Number.NaN };
  phasesStarted = 0;
  phasesEnded = 0;
  isOver = false;
  onPhase: () => void = () => {};
  readonly ready: Promise<void>;
  readonly ended: Promise<Report | LostShard>;

  constructor(process: WorkerProcess, order: Order) {
    this.#process = process;
    const ready = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<Report | LostShard>();
    this.ready = ready.promise;
    this.ended = ended.promise;
    const lose = (reason: string) => {
      ready.reject(new UnreachableError(formatLost({ ...order.shard, reason })));
      this.#end(() => ended.resolve({ ...order.shard, reason }));
    };
    process.onMessage((message) => {
      if (message.kind === 'ready') ready.resolve();
      else if (message.kind === 'failed') lose(`could not send: ${message.reason}`);
      else if (message.kind === 'sent') this.#end(() => ended.resolve(message.report));
      else this.#follow(message);
    });
    process.onExit((how) => lose(`was lost: its process ended with ${how}`));
    process.send({ kind: 'order', order });
  }

  tell(message: ToWorker): void {
    if (!this.isOver) this.#process.send(message);
  }

  #follow(message: FromWorker): void {
    if (message.kind === 'progress') this.snapshot = message.snapshot;
    if (message.kind === 'phase-started') this.phasesStarted++;
    if (message.kind === 'phase-ended') this.phasesEnded++;
    this.onPhase();
  }

  #end(settle: () => void): void {
    this.isOver = true;
    settle();
    this.onPhase();
  }
}

/** Tells the observer of the phases of the whole: one begins with its first worker and ends with its last. */
function watchPhases({ phases, observer }: CrewOptions, members: readonly Member[], atMs: number) {
  const marks: Promise<void>[] = [];
  let begun = 0;
  let ended = 0;
  const look = () => {
    const phase = phases[begun];
    if (phase !== undefined && begun === ended && members.some((one) => one.phasesStarted > begun)) {
      const startMs = performance.now() + Math.max(0, atMs - Date.now());
      for (const member of members)
        member.snapshot = { ...member.snapshot, sent: 0, errors: 0, dropped: 0, inFlight: 0 };
      marks.push(observer.mark('start', phase.pattern));
      observer.phaseStarted(createProgress(phase, startMs, () => sumSnapshots(members)));
      begun++;
    }
    const isEnded = members.every((one) => one.isOver || one.phasesEnded > ended);
    if (begun > ended && isEnded) {
      marks.push(observer.mark('end', phases[ended]?.pattern ?? ''));
      observer.phaseEnded();
      ended++;
      look();
    }
  };
  for (const member of members) member.onPhase = look;
  return { end: () => Promise.all(marks) };
}

/** Percentiles of parts do not add up, so there are none until the histograms themselves are here. */
function sumSnapshots(members: readonly Member[]): Snapshot {
  const sum = (of: (snapshot: Snapshot) => number) =>
    members.reduce((total, { snapshot }) => total + of(snapshot), 0);
  return {
    sent: sum(({ sent }) => sent),
    errors: sum(({ errors }) => errors),
    dropped: sum(({ dropped }) => dropped),
    inFlight: sum(({ inFlight }) => inFlight),
    p50Ms: Number.NaN,
    p99Ms: Number.NaN,
  };
}
