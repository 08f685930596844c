/** The process from an operator's view: messages, signals and exit codes. */
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { portOf } from '../../test/support/server.ts';
import { until } from '../../test/support/until.ts';
import { type AppProcess, spawnApp, startProcess } from './app-process.ts';

const DRAINING = 'draining; a second signal exits immediately';
const FOREVER_MS = '600000';

let app: AppProcess | undefined;
afterEach(async () => {
  await app?.kill();
  app = undefined;
});

/** A process with requests in progress if `environment` delays them, and otherwise with a completed request. */
async function start(environment: Record<string, string>) {
  app = await startProcess(environment);
  if (environment.SIMULATED_LATENCY_MS) return { ...app, clients: await app.hold(1) };
  await app.probe(1);
  return { ...app, clients: [] };
}

describe('the process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('drains and exits 0 on %s', async (signal) => {
    const service = await start({ SIMULATED_LATENCY_MS: '1000', SHUTDOWN_GRACE_MS: FOREVER_MS });
    service.signal(signal);
    expect(await service.exit).toBe(0);
    for (const { text } of service.clients) expect(text()).toMatch(/^HTTP\/1\.1 200 .*product$/s);
    expect(service.messages()).toEqual(['ready', DRAINING, 'drained', 'stopped']);
  });

  it.each([
    [
      'no final scrape arrived',
      { SHUTDOWN_SCRAPE_WAIT_MS: '30' },
      'not every Prometheus scraped again; it lacks the requests since its last scrape',
    ],
    [
      'it had to cut a request after the grace time',
      { SIMULATED_LATENCY_MS: FOREVER_MS, SHUTDOWN_GRACE_MS: '30' },
      'requests still in progress after the grace period were aborted',
    ],
  ])('exits 0 and logs a warning when %s', async (_name, environment, warning) => {
    const service = await start(environment);
    service.signal('SIGTERM');
    expect(await service.exit).toBe(0);
    expect(service.messages()).toEqual(['ready', DRAINING, 'drained', warning, 'stopped']);
  });

  it.each([
    [
      'a request is in progress',
      { SIMULATED_LATENCY_MS: FOREVER_MS, SHUTDOWN_GRACE_MS: FOREVER_MS },
      DRAINING,
    ],
    ['it waits for a scrape', { SHUTDOWN_SCRAPE_WAIT_MS: FOREVER_MS }, 'drained'],
  ])('exits 1 immediately on a second signal while %s', async (_name, environment, message) => {
    const service = await start(environment);
    service.signal('SIGTERM');
    await until(`it to log ${message}`, () => service.messages().includes(message));
    service.signal('SIGTERM');
    expect(await service.exit).toBe(1);
  });

  it('names every wrong setting and exits 2', async () => {
    const { exit, log } = spawnApp({ API_PORT: 'http', LOG_LEVEL: 'loud' });
    expect(await exit).toBe(2);
    expect(log()).toBe(
      'API_PORT: expected a port from 0 to 65535, got "http"\n' +
        'LOG_LEVEL: expected one of silent, fatal, error, warn, info, debug, trace, got "loud"\n',
    );
  });

  it.each([
    ['API_PORT', 'the API'],
    ['METRICS_PORT', 'the metrics server'],
  ])('names %s if it is in use and exits 1', async (name, server) => {
    const other = createServer().listen(0);
    const port = await portOf(other);
    const { exit, messages } = spawnApp({ API_PORT: '0', METRICS_PORT: '0', [name]: String(port) });
    expect(await exit).toBe(1);
    expect(messages()).toEqual([`${server} cannot listen on port ${port}: the port is already in use`]);
    other.close();
  });
});
