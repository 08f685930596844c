/** The process as the operator sees it: messages, signals and exit codes. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { connectRaw } from '../../test/support/raw-client.ts';
import { DEADLINE_MS, until } from '../../test/support/until.ts';
import { spawnApp } from './app-process.ts';

// A process is started in each; on a busy machine that alone takes seconds.
jest.setTimeout(3 * DEADLINE_MS);

let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill('SIGKILL');
});

function run(environment: Record<string, string>) {
  const started = spawnApp(environment);
  const { log: stderr } = started;
  child = started.child;
  // `close` and not `exit`: only then has everything that it wrote been read.
  const exit = once(child, 'close').then(([code]) => code as number | null);
  /** Whole lines only; the last may still be on its way. */
  const lines = () => stderr().split('\n').slice(0, -1);
  return {
    exit,
    stderr,
    async ready(): Promise<{ apiPort: number; metricsPort: number }> {
      await until(
        () => `the process to be ready; it wrote: ${stderr()}`,
        () => lines().some((line) => line.includes('"ready"')),
      );
      return JSON.parse(lines()[0] as string);
    },
    signal: (name: NodeJS.Signals) => child?.kill(name),
    logged: () => lines().map((line) => (JSON.parse(line) as { msg: string }).msg),
  };
}

const anyPorts = { API_PORT: '0', METRICS_PORT: '0', SHUTDOWN_SCRAPE_WAIT_MS: '0' };
const DRAINING = 'draining; a second signal ends at once';

function requestInProgress(metricsPort: number): Promise<void> {
  return until('the request to be in progress', async () => {
    const exposed = await fetch(`http://127.0.0.1:${metricsPort}/?name[]=inprogress_requests`);
    return (await exposed.text()).includes('inprogress_requests 1\n');
  });
}

describe('the process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('drains and exits 0 on %s', async (signal) => {
    const service = run({ ...anyPorts, SIMULATED_LATENCY_MS: '1000', SHUTDOWN_GRACE_MS: '5000' });
    const { apiPort, metricsPort } = await service.ready();
    const answer = fetch(`http://127.0.0.1:${apiPort}/products`);
    await requestInProgress(metricsPort);
    service.signal(signal);
    expect(await (await answer).text()).toBe('product');
    expect(await service.exit).toBe(0);
    expect(service.logged()).toEqual(['ready', DRAINING, 'drained', 'stopped']);
  });

  it('ends with everything that it has counted scraped', async () => {
    const service = run({ ...anyPorts, SHUTDOWN_GRACE_MS: '100', SHUTDOWN_SCRAPE_WAIT_MS: '600000' });
    const { apiPort, metricsPort } = await service.ready();
    service.signal('SIGTERM');
    await until('the draining to begin', () => service.logged().includes(DRAINING));
    await (await fetch(`http://127.0.0.1:${apiPort}/products`)).text();
    await until('it to be drained', () => service.logged().includes('drained'));
    const scrape = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    expect(scrape).toContain('\nhttp_requests_total{path="products",method="get"} 1\n');
    expect(scrape).toContain('\nhttp_server_drained 1\n');
    expect(await service.exit).toBe(0);
    expect(service.logged()).toEqual(['ready', DRAINING, 'drained', 'stopped']);
  });

  it('exits 0 also where no last scrape came, and says so', async () => {
    const service = run({ ...anyPorts, SHUTDOWN_SCRAPE_WAIT_MS: '30' });
    await service.ready();
    service.signal('SIGTERM');
    expect(await service.exit).toBe(0);
    expect(service.logged()).toEqual([
      'ready',
      DRAINING,
      'drained',
      'no last scrape came; what was counted since the one before is lost',
      'stopped',
    ]);
  });

  it('exits 0 also where it had to cut a request after the grace time', async () => {
    const service = run({ ...anyPorts, SIMULATED_LATENCY_MS: '600000', SHUTDOWN_GRACE_MS: '30' });
    const { apiPort, metricsPort } = await service.ready();
    const client = await connectRaw(apiPort);
    client.send('GET /products HTTP/1.1\r\nHost: x\r\n\r\n');
    await requestInProgress(metricsPort);
    service.signal('SIGTERM');
    expect(await service.exit).toBe(0);
    expect(service.logged()).toEqual([
      'ready',
      DRAINING,
      'drained',
      'requests still in progress after the grace time were cut',
      'stopped',
    ]);
  });

  it.each([
    ['a request is in progress', { SIMULATED_LATENCY_MS: '600000', SHUTDOWN_GRACE_MS: '600000' }, DRAINING],
    ['it waits for a scrape', { SHUTDOWN_SCRAPE_WAIT_MS: '600000' }, 'drained'],
  ])('exits 1 at once on a second signal, while %s', async (_name, environment, message) => {
    const service = run({ ...anyPorts, ...environment });
    const { apiPort, metricsPort } = await service.ready();
    const client = await connectRaw(apiPort);
    client.send('GET /products HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    if (message === DRAINING) await requestInProgress(metricsPort);
    else await client.closed();
    service.signal('SIGTERM');
    await until(`it to log ${message}`, () => service.logged().includes(message));
    service.signal('SIGTERM');
    expect(await service.exit).toBe(1);
  });

  it('names every wrong setting and exits 2', async () => {
    const service = run({ API_PORT: 'http', LOG_LEVEL: 'loud' });
    expect(await service.exit).toBe(2);
    expect(service.stderr()).toBe(
      'API_PORT: expected a port from 0 to 65535, got "http"\n' +
        'LOG_LEVEL: expected one of silent, fatal, error, warn, info, debug, trace, got "loud"\n',
    );
  });

  it('names a port that is taken and exits 1', async () => {
    const other = createServer().listen(0);
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const service = run({ ...anyPorts, API_PORT: String(port) });
    expect(await service.exit).toBe(1);
    expect(service.logged()).toEqual([`the API cannot listen on port ${port}: the port is already in use`]);
    other.close();
  });
});
