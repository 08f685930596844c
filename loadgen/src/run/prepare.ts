/** Creates the sender from patterns and flags. Reports all errors before anything starts. */
import type { MetricsChoice } from '../common/metrics.ts';
import { type Origin, parseOrigin, type TlsOptions } from '../http/origin.ts';
import { type Shard, WHOLE } from '../load/shard.ts';
import { metricsOf, type NamedPattern, planPatterns, readPatterns } from './patterns.ts';
import type { Overrides } from './plan.ts';
import { createSender, type Sender, type SenderOptions } from './sender.ts';
import { createWorkerPool, type WorkerPoolOptions } from './worker-pool.ts';

export interface SendOptions extends Pick<SenderOptions, 'observer' | 'signal' | 'waitMs'> {
  /** Patterns, or their names or files. */
  readonly patterns: readonly (NamedPattern | string)[];
  readonly target: string;
  readonly tls: TlsOptions | undefined;
  readonly overrides: Overrides;
  readonly shard: Shard | undefined;
  readonly workers: number;
  readonly startWorker: WorkerPoolOptions['startWorker'];
}

interface PreparedRun {
  readonly origin: Origin;
  readonly shard: Shard;
  readonly sender: Sender;
  readonly metrics: MetricsChoice | undefined;
}

/** @throws UsageError with every error */
export async function prepareSender(options: SendOptions): Promise<PreparedRun> {
  const { target, tls, overrides, workers, shard = WHOLE, waitMs, startWorker } = options;
  const origin = parseOrigin(target, tls);
  const patterns = await readPatterns(options.patterns);
  const senderOptions = { ...options, origin, phases: await planPatterns(patterns, overrides, shard) };
  const own = createSender(senderOptions);
  const prepared = { origin, shard, metrics: metricsOf(patterns) };
  if (workers === 1) return { ...prepared, sender: own };
  // Reports errors that only workers would notice, before any worker is started.
  await planPatterns(patterns, overrides, { index: shard.index, of: shard.of * workers });
  const job = { target, tls, patterns, overrides, waitMs };
  return { ...prepared, sender: createWorkerPool({ ...senderOptions, shard, startWorker, job }, own) };
}
