// @ts-check
/**
 * A shard of `make k8s-load`: runs the generator according to the ConfigMap loadgen-plan, and sends its record to the ledger at the start
 * and at the end. So the ledger knows the requests of a deleted pod, and that a killed pod had started.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, watch } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

const { LEDGER = 'http://ledger:8080', PLAN = '/plan', RECORDS = '/tmp/records' } = process.env;
const { GENERATOR = '/srv/loadgen/dist/main.js', JOB_COMPLETION_INDEX } = process.env;
/** @param {string} name */
const setting = (name) => readFileSync(`${PLAN}/${name}`, 'utf8').trim();
const shard = Number(JOB_COMPLETION_INDEX) + 1;
const record = `${LEDGER}/${setting('RUN')}-${shard}.json`;

/** Sends the newest record, or deletes it: a run that sent nothing removes its record. */
async function deliver() {
  const [name] = (await readdir(RECORDS)).filter((file) => file.endsWith('.json'));
  const body = name === undefined ? null : await readFile(`${RECORDS}/${name}`);
  const response = await fetch(record, { method: body === null ? 'DELETE' : 'PUT', body });
  if (!response.ok) throw new Error(`status ${response.status}`);
}

mkdirSync(RECORDS, { recursive: true });
const words = [
  ...['run', ...setting('WORDS').split('\n')],
  ...['--target', 'http://api:5001', '--prometheus', 'http://prometheus:9090', '--ledger', RECORDS],
  ...['--shard', `${shard}/${setting('SHARDS')}`],
  ...['--start-at', new Date(Number(setting('START')) * 1000).toISOString()],
];
// Runs in the plan's folder, so that an error in a pattern file names the file without a path in the container.
const generator = spawn(process.execPath, [GENERATOR, ...words], { cwd: PLAN, stdio: 'inherit' });
process.on('SIGTERM', () => generator.kill('SIGTERM'));
// Sends in sequence, so that the newest record wins. Ignores errors, because the last record is sent again below.
let delivered = Promise.resolve();
const watcher = watch(RECORDS, () => {
  delivered = delivered.then(deliver).catch(() => {});
});
const [status] = await once(generator, 'exit');
watcher.close();
await delivered;

for (let attempt = 1; ; attempt += 1) {
  const error = await deliver().catch((reason) => reason);
  if (error === undefined) break;
  console.error(`the ledger did not accept the record of this shard: ${error.cause ?? error}`);
  if (attempt === 20) process.exit(3);
  await setTimeout(1_000);
}
process.exit(status ?? 1);
