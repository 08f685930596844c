/** The API with several workers acts as one API: one exposition and one shutdown. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { sumOf } from '../../test/support/exposition.ts';
import { connectRaw } from '../../test/support/raw-client.ts';
import { until } from '../../test/support/until.ts';
import { type AppProcess, spawnApp, startProcess } from './app-process.ts';

const REPLACED = 'a worker exited; starting a replacement';

let app: AppProcess | undefined;
afterEach(async () => {
  await app?.kill();
  app = undefined;
});

async function start(environment: Record<string, string> = {}): Promise<AppProcess> {
  app = await startProcess({ API_WORKERS: '2', ...environment });
  return app;
}

/** Uses a new connection per request, which the workers accept in turn. */
async function ask(count: number, port: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const client = await connectRaw(port);
    client.send('GET /cart HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await client.closed();
    expect(client.text()).toMatch(/^HTTP\/1\.1 200 .*cart$/s);
  }
}

/** Waits for this sum: a worker that does not answer a scrape within a second is included later. @returns the exposition */
async function untilCounted(
  { get, metricsPort }: AppProcess,
  count: number,
  port = metricsPort,
): Promise<string> {
  let text = '';
  await until(
    () => `${count} requests; there is ${text}`,
    async () => {
      text = await get(port, '/metrics');
      return sumOf(text, 'http_request_duration_seconds_count') === count;
    },
  );
  return text;
}

const pidsOf = ({ log }: AppProcess) =>
  log()
    .split('\n')
    .filter((line) => line.includes('"ready"') && !line.includes('metricsPort'))
    .map((line) => (JSON.parse(line) as { pid: number }).pid);

describe('the API of several workers', () => {
  it('exposes the requests of all workers on both ports and does not count scrapes', async () => {
    const service = await start();
    await ask(6, service.apiPort);
    for (const port of [service.apiPort, service.metricsPort]) {
      const text = await untilCounted(service, 6, port);
      expect(sumOf(text, 'http_requests_total')).toBe(6);
      expect(text.match(/^http_server_workers .*$/m)?.[0]).toBe('http_server_workers 2');
    }
    const filtered = await service.get(service.apiPort, '/metrics?name[]=inprogress_requests');
    expect(filtered.match(/^[^#].*$/gm)).toEqual(['inprogress_requests 0']);
  });

  it('counts GET /metrics as a request without a route if the API port has no metrics', async () => {
    const service = await start({ METRICS_ON_API_PORT: 'false' });
    const client = await connectRaw(service.apiPort);
    client.send('GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await client.closed();
    expect(client.text()).toMatch(/^HTTP\/1\.1 404 /);
    expect(sumOf(await untilCounted(service, 1), 'http_errors_total')).toBe(1);
  });

  it('stays ready when a worker is killed, and replaces it', async () => {
    const service = await start();
    await ask(4, service.apiPort);
    await untilCounted(service, 4);
    process.kill(pidsOf(service)[0] as number, 'SIGKILL');
    await until('the replacement', () => pidsOf(service).length === 3);
    expect(service.messages()).toContain(REPLACED);
    expect(await service.get(service.metricsPort, '/readyz')).toBe('ok\n');
    await ask(4, service.apiPort);
    expect(sumOf(await untilCounted(service, 8), 'http_requests_total')).toBe(8);
  });

  it('tries again, after growing delays, when a worker cannot be started', async () => {
    const broken = `${await mkdtemp(`${tmpdir()}/workers-`)}/broken`;
    const preload = `
      import { existsSync } from 'node:fs';
      const { execPath } = process;
      Object.defineProperty(process, 'execPath', { get: () => (existsSync('${broken}') ? '/missing' : execPath) });
    `;
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(preload)}`;
    const service = await start({ NODE_OPTIONS });
    await writeFile(broken, '');
    process.kill(pidsOf(service)[0] as number, 'SIGKILL');
    const failuresMs = () =>
      [...service.log().matchAll(/"time":(\d+).*"a worker failed"/g)].map(([, time]) => Number(time));
    await until('three attempts', () => failuresMs().length >= 3);
    await rm(dirname(broken), { recursive: true });
    const [first = 0, second = 0, third = 0] = failuresMs();
    // Clocks and timers round.
    expect(second - first).toBeGreaterThanOrEqual(98);
    expect(third - second).toBeGreaterThanOrEqual(198);
    await until('the replacement', () => pidsOf(service).length === 3);
    await ask(4, service.apiPort);
  });

  it('exits on SIGTERM after all workers have drained and a last scrape has all counts', async () => {
    const times = { SHUTDOWN_GRACE_MS: '60000', SHUTDOWN_SCRAPE_WAIT_MS: '60000' };
    const service = await start({ SIMULATED_LATENCY_MS: '1000', ...times });
    const clients = await service.hold(2);
    for (const pid of pidsOf(service)) process.kill(pid, 'SIGINT');
    service.signal('SIGINT');
    await until('the service to drain', () => service.messages().includes('drained'));
    for (const client of clients) expect(await client.responses(1)).toEqual(['200']);
    const text = await service.get(service.metricsPort, '/metrics');
    expect(sumOf(text, 'http_requests_total')).toBe(clients.length);
    expect(text).toContain('\nhttp_server_worker_lost_reports_total 0\n');
    expect(await service.exit).toBe(0);
    expect(service.messages()).not.toContain(REPLACED);
  });

  it('reports once that its port is in use, and exits 1', async () => {
    const { apiPort } = await start();
    const { exit, messages } = spawnApp({ API_WORKERS: '2', API_PORT: `${apiPort}`, METRICS_PORT: '0' });
    expect(await exit).toBe(1);
    expect(messages()).toEqual([
      `the API cannot listen on port ${apiPort}: the port is already in use`,
      'a worker did not start',
    ]);
  });
});
