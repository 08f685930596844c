/** Every benchmark, one after the other: `npm run bench --workspace bench [-- quick]`. Ends with the first that fails. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The npm scripts, in the order of their tables. */
const scripts = [
  'bench:in-process',
  'bench:throughput',
  'bench:rendering',
  'bench:process-metrics',
  'bench:under-load',
  'bench:loadgen',
];

const words = process.argv.slice(2);
const quick = words.some((word) => word === 'quick' || word === '--quick');
if (words.length > (quick ? 1 : 0)) {
  process.stderr.write(`expected nothing or "quick", got "${words.join(' ')}"\n`);
  process.exit(2);
}
for (const script of scripts) {
  process.stderr.write(`\n== ${script}\n`);
  const { status } = spawnSync('npm', ['run', '--silent', script, ...(quick ? ['--', '--quick'] : [])], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
