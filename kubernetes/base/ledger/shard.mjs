// @ts-check
/**
 * A shard of `make k8s-load`: runs the generator by the ConfigMap loadgen-plan, and sends its record to the ledger when it starts and when
 * it ends. So a deleted pod's requests are known, and a killed pod's record says that it started.
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
// In the plan's folder, so that an error in a file names the file as the user does.
const generator = spawn(process.execPath, [GENERATOR, ...words], { cwd: PLAN, stdio: 'inherit' });
process.on('SIGTERM', () => generator.kill('SIGTERM'));
// In sequence, so that the newest wins. Errors are ignored here: the last record is sent again below.
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
