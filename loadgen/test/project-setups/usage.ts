// A TypeScript program that uses the package. Prints the number of answered requests.
import {
  type PatternInput,
  type PhaseReport,
  type Report,
  type RunOptions,
  run,
  UsageError,
  verdictOf,
} from 'exact-load';
import { Prometheus } from 'exact-load/prometheus';
import { randomAt } from 'exact-load/random';
import { type LostShard, readReport } from 'exact-load/report';

const [target = ''] = process.argv.slice(2);
const pattern: PatternInput = { targets: [{ path: '/users/7', count: 3 }] };
const options: RunOptions = { pattern, target, signal: AbortSignal.timeout(30_000) };
const report: Report = await run(options);
const phase: PhaseReport | undefined = report.phases[0];
const p99: number | undefined = phase?.latencyMs?.p99;
const lost: readonly LostShard[] = report.lostShards;
const kind: 'passed' | 'failed' | 'open' = verdictOf(report).kind;
const read: (path: string) => Promise<Report> = readReport;

// @ts-expect-error a rate is a number or "max"
const error: unknown = await run({ url: target, rate: 'fast', duration: '1s' }).catch(
  (reason: unknown) => reason,
);
if (!(error instanceof UsageError) || p99 === undefined || lost.length > 0 || typeof read !== 'function')
  throw new Error('expected a report and an error');
process.stdout.write(`${kind} ${phase?.answered} ${typeof Prometheus} ${typeof randomAt}\n`);
