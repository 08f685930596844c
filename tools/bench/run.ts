/** Every benchmark, one after the other: `npm run bench --workspace tools [-- quick]`. Ends with the first that fails. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The npm scripts, in the order of their tables. */
const SCRIPTS = [
  'bench:in-process',
  'bench:throughput',
  'bench:exactness',
  'bench:footprint',
  'bench:rendering',
  'bench:process-metrics',
  'bench:under-load',
  'bench:scaling',
  'bench:idle',
  'bench:loadgen',
];

/** A look at the middleware, a scrape and the generator, within 90 seconds. */
const QUICK_SCRIPTS = ['bench:in-process', 'bench:throughput', 'bench:rendering', 'bench:loadgen-throughput'];

const words = process.argv.slice(2);
const quick = words.some((word) => word === 'quick' || word === '--quick');
if (words.length > (quick ? 1 : 0)) {
  process.stderr.write(`expected nothing or "quick", got "${words.join(' ')}"\n`);
  process.exit(2);
}
for (const script of quick ? QUICK_SCRIPTS : SCRIPTS) run(script);
if (!quick) run('quote');

function run(script: string): void {
  process.stderr.write(`\n== ${script}\n`);
  const { status } = spawnSync('npm', ['run', '--silent', script, ...(quick ? ['--', '--quick'] : [])], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
