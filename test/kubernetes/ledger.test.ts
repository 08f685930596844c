/** The programs of kubernetes/base/ledger, as they run in pods, with a fake generator. */
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type RunningCommand, start } from '../support/command.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';

const PROGRAMS = 'kubernetes/base/ledger';
/** Writes a record when it starts, and replaces it when it ends: at a signal, or immediately. */
const GENERATOR = `
const { renameSync, rmSync, writeFileSync } = require('node:fs');
const words = process.argv.slice(2);
const folder = words[words.indexOf('--ledger') + 1];
const save = (state) => {
  writeFileSync(folder + '/new', JSON.stringify({ state, words }));
  renameSync(folder + '/new', folder + '/a.json');
};
const end = (state, status) => {
  if (words.includes('--nothing')) rmSync(folder + '/a.json');
  else save(state);
  process.exit(status);
};
process.on('SIGTERM', () => end('interrupted', 130));
// Last, because the test sends the signal when it sees the record.
save('started');
if (words.includes('--stay')) setInterval(() => {}, 1000);
else end('finished', 1);
`;

let folder = '';
let port = 0;
let running: RunningCommand[] = [];
const startProgram = (name: string, variables: Record<string, string>) => {
  const command = start(process.execPath, [`${PROGRAMS}/${name}`], variables);
  running.push(command);
  return command;
};
const startLedger = () => startProgram('ledger.mjs', { LEDGER: join(folder, 'ledger'), PORT: String(port) });
const record = async () => JSON.parse(await readFile(join(folder, 'ledger/r1-3.json'), 'utf8'));
const stateIs = (state: string) => async () => (await record().catch(() => ({}))).state === state;
const put = (name: string) => fetch(`http://127.0.0.1:${port}/${name}`, { method: 'PUT', body: '{}' });

async function startShard(...words: string[]) {
  const plan = { RUN: 'r1', SHARDS: '4', START: '1900000000', WORDS: ['steady', ...words].join('\n') };
  for (const [name, value] of Object.entries(plan)) await writeFile(join(folder, 'plan', name), `${value}\n`);
  return startProgram('shard.mjs', {
    ...{ LEDGER: `http://127.0.0.1:${port}`, PLAN: join(folder, 'plan'), RECORDS: join(folder, 'records') },
    ...{ GENERATOR: join(folder, 'generator.cjs'), JOB_COMPLETION_INDEX: '2' },
  });
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ledger-'));
  for (const name of ['plan', 'ledger']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'generator.cjs'), GENERATOR);
  port = await freePort();
});
afterEach(async () => {
  for (const { process: child } of running.filter(
    ({ process: { exitCode, signalCode } }) => exitCode === null && signalCode === null,
  )) {
    child.kill();
    await once(child, 'exit');
  }
  running = [];
  await rm(folder, { recursive: true });
});

it('a shard sends its record to the ledger when it starts, and again when its pod is deleted', async () => {
  startLedger();
  const shard = await startShard('--stay', 'p99 < 1s');
  await until('the record', stateIs('started'));
  shard.process.kill('SIGTERM');
  expect((await shard.result).exitCode).toBe(130);
  const { state, words } = await record();
  expect(state).toBe('interrupted');
  expect(words.slice(0, 4)).toEqual(['run', 'steady', '--stay', 'p99 < 1s']);
  expect(words).toEqual(expect.arrayContaining(['3/4', '2030-03-17T17:46:40.000Z']));
});

it('a shard waits for an unreachable ledger, and exits with the status of its generator', async () => {
  const shard = await startShard();
  await until('an attempt', () => shard.stderr().includes('the ledger did not accept the record'));
  startLedger();
  expect((await shard.result).exitCode).toBe(1);
  expect((await record()).state).toBe('finished');
});

it('a shard that sent nothing removes its record', async () => {
  startLedger();
  const shard = await startShard('--stay', '--nothing');
  await until('the record', stateIs('started'));
  shard.process.kill('SIGTERM');
  await shard.result;
  await expect(record()).rejects.toThrow('ENOENT');
});

it('the ledger accepts only records with valid names, and returns none', async () => {
  startLedger();
  await until('the ledger', () =>
    put('a-1.json').then(
      () => true,
      () => false,
    ),
  );
  const answers = await Promise.all(['b-2.json', '..%2Fx.json', 'a.txt', ''].map(put));
  expect(answers.map(({ status }) => status)).toEqual([204, 404, 404, 200]);
  expect((await fetch(`http://127.0.0.1:${port}/a-1.json`)).status).toBe(405);
});
