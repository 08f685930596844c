/** From patterns and flags to what sends them. Everything that is wrong with any of them is reported before anything starts. */
import { parseOrigin } from '../http/origin.ts';
import { type Shard, WHOLE } from '../load/shard.ts';
import { planPatterns, readPatterns } from './patterns.ts';
import type { Overrides } from './plan.ts';
import { createSender, type Sender, type SenderOptions } from './sender.ts';
import { createWorkerPool, type WorkerPoolOptions } from './worker-pool.ts';

export interface SendOptions extends Pick<SenderOptions, 'observer' | 'signal' | 'waitMs'> {
  /** Names and files of patterns. */
  readonly names: readonly string[];
  readonly target: string;
  readonly overrides: Overrides;
  readonly shard: Shard | undefined;
  readonly workers: number;
  readonly startWorker: WorkerPoolOptions['startWorker'];
}

/** @throws UsageError with every mistake */
export async function prepareSender(
  options: SendOptions,
): Promise<{ target: string; shard: Shard; sender: Sender }> {
  const { target, overrides, workers, shard = WHOLE, waitMs, startWorker } = options;
  const origin = parseOrigin(target);
  const patterns = await readPatterns(options.names);
  const senderOptions = { ...options, origin, phases: await planPatterns(patterns, overrides, shard) };
  const own = createSender(senderOptions);
  const prepared = { target: origin.url, shard };
  if (workers === 1) return { ...prepared, sender: own };
  // A mistake that only the parts would find is reported here, before any of them is started.
  await planPatterns(patterns, overrides, { index: shard.index, of: shard.of * workers });
  const job = { target, patterns, overrides, waitMs };
  return { ...prepared, sender: createWorkerPool({ ...senderOptions, shard, startWorker, job }, own) };
}
