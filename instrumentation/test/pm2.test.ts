/** The README's recipe for PM2, with a real PM2, which the test installs because its licence (AGPL) differs from this repository's. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../../test/support/free-port.ts';
import { blockOf } from '../../test/support/markdown.ts';
import { until } from '../../test/support/until.ts';
import { ABANDONED_MS, get, load, Scrape } from './several.ts';

const run = promisify(execFile);
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Why npm cannot install it; undefined if it can. */
const noRegistry = await run('npm', ['view', 'pm2@7', 'version', '--fetch-retries', '1']).then(
  () => undefined,
  ({ stderr }: { stderr: string }) => stderr.split('\n')[0],
);
if (noRegistry) console.warn(`left out: PM2 (npm view: ${noRegistry})`);
const whereNpmInstalls = noRegistry ? describe.skip : describe;

const SERVER = `
import cluster from 'node:cluster';
import express from 'express';
import { instrument } from 'express-exact-metrics';

const app = express();
instrument(app);
app.get('/users/:id', (request, response) => {
  response.set('x-worker', String(process.pid)).end();
});
const server = app.listen(PORT, '127.0.0.1');
server.closeIdleConnections = () => undefined;
process.on('message', (message) => message === 'shutdown' && cluster.worker.disconnect());
`;

whereNpmInstalls('PM2', () => {
  let folder: string;
  let port: number;
  let metricsPort: number;
  const pm2 = (...words: string[]) =>
    run(process.execPath, [`${folder}/node_modules/pm2/bin/pm2`, ...words], {
      cwd: folder,
      env: { ...process.env, PM2_HOME: `${folder}/home`, NODE_OPTIONS: '' },
    });
  const scrape = async () => new Scrape((await get(metricsPort, '/metrics')).body);
  const pidsOf = async (name: string) => {
    const { stdout } = await pm2('pid', name);
    return stdout.trim().split('\n').map(Number);
  };

  beforeAll(async () => {
    folder = await mkdtemp(`${tmpdir()}/pm2-`);
    [port, metricsPort] = [await freePort(), await freePort()];
    await writeFile(`${folder}/package.json`, '{ "type": "module" }');
    await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', 'pm2@7'], { cwd: folder });
    await mkdir(`${folder}/node_modules/@prometheus-io`, { recursive: true });
    for (const name of ['express', 'express-exact-metrics', '@prometheus-io/client'])
      await symlink(path(`../../node_modules/${name}`), `${folder}/node_modules/${name}`);
    const readme = await readFile(path('../README.md'), 'utf8');
    const recipe = blockOf(readme, 'js', 'pm2Cluster').replace('8000', `${metricsPort}, '127.0.0.1'`);
    await writeFile(`${folder}/metrics.js`, recipe);
    await writeFile(`${folder}/server.js`, SERVER.replace('PORT', String(port)));
    // PM2 kills a worker that does not end in time, by default 1.6 s.
    const patient = ['--kill-timeout', '60000', '--listen-timeout', '60000'];
    await pm2('start', 'server.js', '--name', 'shop', '-i', '2', ...patient);
    await pm2('start', 'metrics.js', '--name', 'metrics');
    await until('two workers to report', async () => {
      const one = await scrape().catch(() => undefined);
      return one?.value('http_server_workers') === 2;
    });
  });

  afterAll(async () => {
    await pm2('kill').catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  });

  it('has one exposition for all workers, and loses nothing in a reload under load', async () => {
    const before = await pidsOf('shop');
    const traffic = load(port, 100, ABANDONED_MS);
    const untilAnsweredBy = (pids: readonly number[]) =>
      until(`answers of ${pids}`, () =>
        pids.every((pid) => traffic.answers.some(({ worker }) => worker === String(pid))),
      );
    await untilAnsweredBy(before);
    await pm2('reload', 'shop');
    const after = await pidsOf('shop');
    await untilAnsweredBy(after);
    await traffic.stop();
    expect(after).not.toEqual(expect.arrayContaining(before));
    await until('all to be counted', async () => (await scrape()).users() === traffic.answers.length);
    await until('the old workers to end', async () => (await scrape()).value('http_server_workers') === 2);
    expect((await scrape()).value('http_server_worker_lost_reports_total')).toBe(0);
  });

  it('keeps the reports of a killed worker', async () => {
    const counted = Number((await scrape()).users());
    const [pid = 0] = await pidsOf('shop');
    process.kill(pid, 'SIGKILL');
    await until(
      'the loss to be exposed',
      async () => (await scrape()).value('http_server_worker_lost_reports_total') === 1,
    );
    await until('another one to report', async () => (await scrape()).value('http_server_workers') === 2);
    expect((await scrape()).users()).toBe(counted);
  });
});
