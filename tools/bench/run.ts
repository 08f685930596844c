/**
 * Runs all benchmarks, or the named ones, one after the other: `npm run bench --workspace tools -- [quick] [NAME...]`. Stops at the
 * first failure. A name FOLDER-SCRIPT is that of the result, and of the script in the folder.
 */
import { spawnSync } from 'node:child_process';
import { CLIENT_CORE } from './lib/cpu.ts';

const BENCHMARKS = [
  'middleware-throughput',
  'middleware-exemplars',
  'scrape-rendering',
  'cluster-scrape',
  'cluster-workers',
  'scaling-prometheus',
  'stack-idle',
  'loadgen-throughput',
];
/** The benchmarks of a quick run: middleware, a scrape and the generator, within 90 seconds. */
const QUICK = ['middleware-throughput', 'scrape-rendering', 'loadgen-throughput'];

const words = process.argv.slice(2);
const quick = words.includes('quick');
const names = words.filter((word) => word !== 'quick');
if (!names.every((name) => BENCHMARKS.includes(name))) {
  process.stderr.write(`expected "quick" or ${BENCHMARKS.join(', ')}; got "${names.join(' ')}"\n`);
  process.exit(2);
}
const chosen = names.length > 0 ? names : quick ? QUICK : BENCHMARKS;
for (const name of chosen) run(`${name.replace('-', '/')}.ts`);
if (!quick) run('quote.ts');

function run(script: string): void {
  process.stderr.write(`\n== ${script}\n`);
  const node = [process.execPath, '--expose-gc', new URL(script, import.meta.url).pathname];
  const words = ['-c', String(CLIENT_CORE), ...node, ...(quick ? ['--quick'] : [])];
  const { status } = spawnSync('taskset', words, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
