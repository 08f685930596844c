/** The two ports together: what each answers, and how they stop. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { connectRaw } from '../../testing/raw-client.ts';
import { until } from '../../testing/until.ts';
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
  const config = parseConfig({ API_PORT: '0', METRICS_PORT: '0', SHUTDOWN_GRACE_MS: '5000', ...environment });
  service = await startService(config, table, silent);
  return {
    api: `http://127.0.0.1:${service.apiPort}`,
    metrics: `http://127.0.0.1:${service.metricsPort}`,
    service,
  };
}

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

  it('shows the metrics of Node and of the process, each family once', async () => {
    const { metrics } = await start();
    const text = await (await fetch(metrics)).text();
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
    for (const url of [
      `${api}/metrics`,
      metrics,
      `${metrics}/metrics`,
      `${metrics}/healthz`,
      `${metrics}/readyz`,
      `${metrics}/x`,
    ]) {
      await fetch(url);
    }
    const text = await (await fetch(metrics)).text();
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
    expect(await (await fetch(`${metrics}/?name[]=http_errors_total`)).text()).toContain(
      'http_errors_total{code="405"} 0',
    );
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
  const slow: Route[] = [
    { method: 'get', path: '/slow', code: 200, handler: (_q, r) => void release.push(() => r.send('done')) },
  ];
  let release: (() => void)[] = [];
  const request = 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n';

  it('is not ready at once, takes no new connections, answers what is in progress, and then closes both ports', async () => {
    release = [];
    const { metrics, service } = await start({}, slow);
    const busy = await connectRaw(service.apiPort);
    const idle = await connectRaw(service.apiPort);
    busy.send(request);
    await until('the request to be in progress', () => release.length === 1);

    const stopped = service.stop();
    expect(await statusOf(`${metrics}/readyz`)).toBe(503);
    expect(await statusOf(`${metrics}/healthz`)).toBe(200);
    await idle.closed();
    await expect(connectRaw(service.apiPort)).rejects.toThrow('ECONNREFUSED');
    expect(await (await fetch(`${metrics}/?name[]=inprogress_requests`)).text()).toContain(
      'inprogress_requests 1\n',
    );

    release[0]?.();
    expect(await busy.responses(1)).toEqual(['200']);
    await busy.closed();
    expect(await stopped).toBe(true);
    await expect(connectRaw(service.metricsPort)).rejects.toThrow('ECONNREFUSED');
  });

  it('ends a connection that keeps sending, with its next response', async () => {
    release = [];
    const { service } = await start({}, slow);
    const client = await connectRaw(service.apiPort);
    client.send(request);
    await until('the first request to be in progress', () => release.length === 1);
    const stopped = service.stop();
    client.send(request);
    await until('the second to be in progress', () => release.length === 2);
    for (const answer of release) answer();
    await client.closed();
    expect(client.text().match(/Connection: \S+/g)).toEqual(['Connection: keep-alive', 'Connection: close']);
    expect(await stopped).toBe(true);
  });

  it('cuts what is still in progress after the grace time', async () => {
    release = [];
    const { service } = await start({ SHUTDOWN_GRACE_MS: '20' }, slow);
    const client = await connectRaw(service.apiPort);
    client.send(request);
    await until('the request to be in progress', () => release.length === 1);
    expect(await service.stop()).toBe(false);
    await client.closed();
    expect(client.text()).toBe('');
  });
});
