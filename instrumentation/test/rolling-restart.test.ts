/** The README's recipe for a cluster that stops: no client notices it, even on connections that it keeps alive. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from '@jest/globals';
import { freePort } from '../../test/support/free-port.ts';
import { blockOf } from '../../test/support/markdown.ts';
import { until } from '../../test/support/until.ts';
import { get, Scrape } from './several.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

const WORKERS = 4;

/** Every process of the test. */
const pids = new Set<number>();
let folder: string;

afterEach(async () => {
  for (const pid of pids) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** For a server that does not listen yet, or any more. */
function ifRefused(error: NodeJS.ErrnoException): undefined {
  if (!['ECONNREFUSED', 'ECONNRESET'].includes(error.code ?? '')) throw error;
}

async function startRecipe() {
  folder = await mkdtemp(`${tmpdir()}/recipe-`);
  await mkdir(`${folder}/node_modules/@prometheus-io`, { recursive: true });
  for (const name of ['express', 'express-exact-metrics', '@prometheus-io/client'])
    await symlink(path(`../../node_modules/${name}`), `${folder}/node_modules/${name}`);
  const [port, metricsPort] = [await freePort(), await freePort()];
  const code = blockOf(await readFile(path('../README.md'), 'utf8'), 'js', 'closeAllConnections')
    .replace('3000', `${port}, '127.0.0.1'`)
    .replace('8000', `${metricsPort}, '127.0.0.1'`);
  await writeFile(`${folder}/package.json`, '{ "type": "module" }');
  await writeFile(`${folder}/server.js`, code);
  const env = { ...process.env, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1' };
  const primary = spawn(process.execPath, ['server.js'], { cwd: folder, env, stdio: 'inherit' });
  pids.add(Number(primary.pid));
  const scrape = async () => new Scrape((await get(metricsPort, '/metrics')).body);
  const untilComplete = () =>
    until('all workers to report', async () => {
      const one = await scrape().catch(ifRefused);
      return one?.value('http_server_workers') === WORKERS;
    });
  await untilComplete();
  return { primary, port, scrape, untilComplete };
}

/** Sends requests on one connection, with `pauseMs` between them, and opens another only when a response closes it. */
function createClient(port: number, pauseMs: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let isLast = false;
  const client = {
    workers: new Set<number>(),
    answers: 0,
    isClosed: false,
    failures: [] as string[],
    /** Resolves when a response has closed the connection. */
    async end() {
      isLast = true;
      await running;
    },
  };
  const send = async () => {
    const request = httpRequest({ host: '127.0.0.1', port, path: '/users/7', agent });
    const [response] = await once(request.end(), 'response');
    const { worker } = (await json(response)) as { worker: number };
    client.workers.add(worker);
    client.isClosed = response.headers.connection === 'close';
    client.answers++;
  };
  const running = (async () => {
    while (!(isLast && client.isClosed) && client.failures.length === 0) {
      await send().catch((error) => client.failures.push(String(error)));
      await sleep(pauseMs);
    }
    agent.destroy();
  })();
  return client;
}

it('fails and loses no request when SIGTERM ends first each worker and then the primary', async () => {
  const { primary, port, scrape, untilComplete } = await startRecipe();
  // The connections of the last ones are idle most of the time.
  const clients = [0, 0, 1, 2, 3, 5, 500, 1000].map((pauseMs) => createClient(port, pauseMs));
  const workersOf = () => new Set(clients.flatMap(({ workers }) => [...workers]));
  const failures = () => clients.flatMap((client) => client.failures);
  await until('an answer of each worker', () => workersOf().size === WORKERS || failures().length > 0);
  for (const pid of workersOf()) {
    pids.add(pid);
    process.kill(pid, 'SIGTERM');
    await until(`worker ${pid} to end`, () => !isRunning(pid));
    await untilComplete();
  }
  const before = clients.map(({ answers }) => answers);
  await until('an open connection of each client', () =>
    clients.every(({ answers, failures }, i) => answers > Number(before[i]) || failures.length > 0),
  );
  for (const pid of workersOf()) pids.add(pid);
  let last = await scrape();
  primary.kill('SIGTERM');
  const ended = until('the primary to end after a last scrape', async () => {
    last = (await scrape().catch(ifRefused)) ?? last;
    return primary.exitCode !== null;
  });
  await Promise.all([ended, ...clients.map((client) => client.end())]);
  expect(failures()).toEqual([]);
  expect(last.value('http_server_drained')).toBe(1);
  expect(last.users()).toBe(clients.reduce((sum, { answers }) => sum + answers, 0));
  expect(last.value('http_server_worker_lost_reports_total')).toBe(0);
  expect(primary.exitCode).toBe(0);
});
