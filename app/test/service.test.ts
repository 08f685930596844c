/** The two ports together: what each answers, and how they stop. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Response } from 'express';
import { connectRaw } from '../../test/support/raw-client.ts';
import { until } from '../../test/support/until.ts';
import { parseConfig } from '../src/config.ts';
import { type Route, routes } from '../src/routes.ts';
import { type Service, startService } from '../src/service.ts';
import { silent } from './harness.ts';

let service: Service | undefined;
afterEach(async () => {
  await service?.stop();
  service = undefined;
});

async function start(environment: Record<string, string> = {}, table: readonly Route[] = routes) {
  const config = parseConfig({
    API_PORT: '0',
    METRICS_PORT: '0',
    SHUTDOWN_GRACE_MS: '200',
    SHUTDOWN_SCRAPE_WAIT_MS: '0',
    ...environment,
  });
  service = await startService(config, table, silent);
  return {
    api: `http://127.0.0.1:${service.apiPort}`,
    metrics: `http://127.0.0.1:${service.metricsPort}`,
    service,
  };
}

const textOf = async (url: string) => (await fetch(url)).text();
const statusOf = async (url: string, method = 'GET') => (await fetch(url, { method })).status;

describe('the metrics port', () => {
  it.each([
    ['/', 'GET', 200],
    ['/metrics', 'GET', 200],
    ['/metrics', 'HEAD', 200],
    ['/metrics', 'DELETE', 405],
    ['/healthz', 'GET', 200],
    ['/readyz', 'GET', 200],
    ['/readyz', 'POST', 405],
    ['/products', 'GET', 404],
    ['/metrics/', 'GET', 404],
  ])('answers %s %s with %i', async (path, method, status) => {
    expect(await statusOf((await start()).metrics + path, method)).toBe(status);
  });

  it.each(['/metrics', '/readyz', '/products'])(
    'says nothing of the server, and is no page: %s',
    async (path) => {
      const { headers } = await fetch((await start()).metrics + path);
      expect(Object.fromEntries(headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      });
      expect([headers.has('x-powered-by'), headers.has('server')]).toEqual([false, false]);
    },
  );

  it('shows the metrics of Node and of the process, each family once', async () => {
    const { metrics } = await start();
    const text = await textOf(metrics);
    const families = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(new Set(families).size).toBe(families.length);
    expect(families).toEqual(
      expect.arrayContaining([
        'process_cpu_seconds_total',
        'process_start_time_seconds',
        'process_resident_memory_bytes',
        'nodejs_version_info',
        'nodejs_heap_size_used_bytes',
        'nodejs_active_resources',
        'nodejs_gc_duration_seconds',
      ]),
    );
    expect(families.filter((name) => name?.endsWith('_total'))).toEqual([
      'http_requests_total',
      'http_errors_total',
      'process_cpu_user_seconds_total',
      'process_cpu_system_seconds_total',
      'process_cpu_seconds_total',
      'nodejs_eventloop_late_seconds_total',
      'nodejs_eventloop_active_seconds_total',
      'metrics_scrapes_total',
      'metrics_scrape_seconds_total',
    ]);
  });

  it('counts neither scrapes nor health checks, on either port', async () => {
    const { api, metrics } = await start();
    await fetch(`${api}/metrics`);
    for (const path of ['/', '/metrics', '/healthz', '/readyz', '/x']) await fetch(metrics + path);
    const text = await textOf(metrics);
    const values = [...text.matchAll(/^(?:http_|inprogress_requests).* (\S+)$/gm)].map(([, value]) => value);
    expect(values.length).toBeGreaterThan(700);
    expect(new Set(values)).toEqual(new Set(['0']));
    expect(text).toContain('\nmetrics_scrapes_total{code="200"} 3\n');
  });
});

describe('the API port', () => {
  it('answers /metrics, unless that is switched off', async () => {
    expect(await statusOf(`${(await start()).api}/metrics`)).toBe(200);
    await service?.stop();
    expect(await statusOf(`${(await start({ METRICS_ON_API_PORT: 'false' })).api}/metrics`)).toBe(404);
  });

  it('answers other methods of /metrics with 405, uncounted', async () => {
    const { api, metrics } = await start();
    expect(await statusOf(`${api}/metrics`, 'POST')).toBe(405);
    expect(await textOf(`${metrics}/?name[]=http_errors_total`)).toContain('http_errors_total{code="405"} 0');
  });
});

describe('starting', () => {
  it.each(['API_PORT', 'METRICS_PORT'])(
    'fails with a message when %s is taken, and leaves nothing open',
    async (name) => {
      const other = createServer().listen(0);
      await once(other, 'listening');
      const { port } = other.address() as AddressInfo;
      const server = name === 'API_PORT' ? 'the API' : 'the metrics server';
      await expect(start({ [name]: String(port) })).rejects.toThrow(
        `${server} cannot listen on port ${port}: the port is already in use`,
      );
      other.close();
      await once(other, 'close');
    },
  );
});

describe('stopping', () => {
  let held: Response[] = [];
  const slow: Route[] = [{ method: 'get', path: '/slow', code: 200, handler: (_q, r) => void held.push(r) }];
  const request = 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n';
  const LONG_MS = '60000';

  beforeEach(() => {
    held = [];
  });

  const inProgress = (count: number) => until(`${count} in progress`, () => held.length === count);

  /** Answers `requests`, which it waits for. */
  async function answer(requests: number): Promise<void> {
    await inProgress(requests);
    for (const response of held.splice(0)) response.send('done');
  }

  /** A service with one request in progress. */
  async function startBusy(environment: Record<string, string>) {
    const started = await start(environment, slow);
    const client = await connectRaw(started.service.apiPort);
    client.send(request);
    await inProgress(1);
    return { ...started, client };
  }

  it('is not ready at once, and the metrics port is the last to close', async () => {
    const { metrics, service, client } = await startBusy({ SHUTDOWN_GRACE_MS: LONG_MS });
    const stopped = service.stop();
    expect(await statusOf(`${metrics}/readyz`)).toBe(503);
    expect(await statusOf(`${metrics}/healthz`)).toBe(200);
    expect(await textOf(`${metrics}/?name[]=inprogress_requests`)).toContain('inprogress_requests 1\n');
    client.send(request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    await answer(2);
    await client.closed();
    expect(await stopped).toEqual({ drained: true, scraped: undefined });
    for (const port of [service.apiPort, service.metricsPort])
      await expect(connectRaw(port)).rejects.toThrow('ECONNREFUSED');
  });

  it('answers all requests while it drains, and closes each connection with the answer', async () => {
    const { service } = await start({ SHUTDOWN_GRACE_MS: LONG_MS }, slow);
    const idle = await connectRaw(service.apiPort);
    idle.send(request);
    await answer(1);
    await idle.responses(1);
    const silent = await connectRaw(service.apiPort);

    const stopped = service.stop();
    const late = await connectRaw(service.apiPort);
    for (const client of [idle, silent, late]) client.send(request);
    await answer(3);
    for (const client of [idle, silent, late]) await client.closed();
    expect([idle, silent, late].map((client) => client.text().match(/Connection: \S+/g))).toEqual([
      ['Connection: keep-alive', 'Connection: close'],
      ['Connection: close'],
      ['Connection: close'],
    ]);
    expect(await stopped).toMatchObject({ drained: true });
  });

  it('accepts nothing more, and closes what is idle, when the grace time begins to end', async () => {
    const { service, client } = await startBusy({ SHUTDOWN_GRACE_MS: '2000' });
    const idle = await connectRaw(service.apiPort);
    const stopped = service.stop();
    await idle.closed();
    await expect(connectRaw(service.apiPort)).rejects.toThrow('ECONNREFUSED');
    await answer(1);
    expect(await client.responses(1)).toEqual(['200']);
    await client.closed();
    expect(await stopped).toMatchObject({ drained: true });
  });

  it('cuts what is still in progress after the grace time', async () => {
    const { service, client } = await startBusy({ SHUTDOWN_GRACE_MS: '20' });
    expect(await service.stop()).toMatchObject({ drained: false });
    await client.closed();
    expect(client.text()).toBe('');
  });

  it('waits for a scrape of the metrics port that has all counts, those of cut requests too', async () => {
    const { api, metrics, service } = await startBusy({
      SHUTDOWN_SCRAPE_WAIT_MS: LONG_MS,
      SHUTDOWN_GRACE_MS: '800',
    });
    const stopped = service.stop();
    for (const url of [`${api}/metrics`, metrics])
      expect(await textOf(url)).toContain('\nhttp_server_drained 0\n');
    const drained = () => textOf(`${metrics}/?name[]=http_server_drained`);
    await until('it to be drained', async () => (await drained()).includes('\nhttp_server_drained 1\n'));
    const text = await textOf(metrics);
    expect(text).toContain('\ninprogress_requests 0\n');
    expect(text).toContain('\nhttp_errors_total{code="500"} 1\n');
    expect(await stopped).toEqual({ drained: false, scraped: true });
  });

  it('waits for a scrape no longer than configured', async () => {
    const { service } = await start({ SHUTDOWN_SCRAPE_WAIT_MS: '20' });
    expect(await service.stop()).toEqual({ drained: true, scraped: false });
  });
});
