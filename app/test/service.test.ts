/** The two ports: the responses of the metrics port, and how both stop. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Response } from 'express';
import { connectRaw } from '../../test/support/raw-client.ts';
import { until } from '../../test/support/until.ts';
import type { Route } from '../src/routes.ts';
import { start, statusOf, textOf } from './harness.ts';

describe('the metrics port', () => {
  it.each([
    ['/', 200],
    ['/metrics', 200],
    ['/healthz', 200],
    ['/readyz', 200],
    ['/products', 404],
  ])('responds to %s with %i', async (path, status) => {
    expect(await statusOf((await start()).metrics + path)).toBe(status);
  });

  it('shows the metrics of Node and of the process, each family once', async () => {
    const text = await (await start()).scrape();
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
    const { api, metrics, scrape } = await start();
    await textOf(`${api}/metrics`);
    for (const path of ['/', '/metrics', '/healthz', '/readyz', '/x']) await textOf(metrics + path);
    const text = await scrape();
    const values = [...text.matchAll(/^(?:http_|inprogress_requests).* (\S+)$/gm)].map(([, value]) => value);
    expect(values.length).toBeGreaterThan(700);
    expect(new Set(values)).toEqual(new Set(['0']));
    expect(text).toContain('\nmetrics_scrapes_total{code="200"} 3\n');
  });
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

  /** Waits for `requests` and responds to them. */
  async function answer(requests: number): Promise<void> {
    await inProgress(requests);
    for (const response of held.splice(0)) response.send('done');
  }

  /** A service with one request in progress. */
  async function startBusy(environment: Record<string, string>) {
    const service = await start(environment, slow);
    const client = await connectRaw(service.apiPort);
    client.send(request);
    await inProgress(1);
    return { ...service, client };
  }

  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** Stops the clock, so that no grace time ends while the test is slow. */
  function stopClock() {
    let nowMs = performance.now();
    const { mockRestore } = jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
    const advance = (byMs: number) => {
      nowMs += byMs;
    };
    return { advance, startAgain: mockRestore };
  }

  it('becomes unready immediately, and closes the metrics port last', async () => {
    const { client, ...service } = await startBusy({ SHUTDOWN_GRACE_MS: LONG_MS });
    const stopped = service.stop();
    expect(await statusOf(`${service.metrics}/readyz`)).toBe(503);
    expect(await statusOf(`${service.metrics}/healthz`)).toBe(200);
    expect(await service.scrape('inprogress_requests')).toContain('inprogress_requests 1\n');
    client.send(request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    await answer(2);
    await client.closed();
    expect(await stopped).toEqual({ drained: true, scraped: undefined });
    for (const port of [service.apiPort, service.metricsPort])
      await expect(connectRaw(port)).rejects.toThrow('ECONNREFUSED');
  });

  it('responds to all requests while it drains, and closes each connection with the response', async () => {
    const service = await start({ SHUTDOWN_GRACE_MS: LONG_MS }, slow);
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

  it('stops accepting connections and closes idle ones shortly before the grace time ends', async () => {
    const { client, ...service } = await startBusy({ SHUTDOWN_GRACE_MS: LONG_MS });
    const idle = await connectRaw(service.apiPort);
    const { advance, startAgain } = stopClock();
    const stopped = service.stop();
    await until('the idle connection to be closed', () => {
      // In a few hundred steps: the server looks at the clock every 50 ms, and cuts connections without a request after 10 s.
      if (!idle.socket.closed) advance(Number(LONG_MS) / 400);
      return idle.socket.closed;
    });
    await expect(connectRaw(service.apiPort)).rejects.toThrow('ECONNREFUSED');
    await answer(1);
    expect(await client.responses(1)).toEqual(['200']);
    await client.closed();
    startAgain();
    expect(await stopped).toMatchObject({ drained: true });
  });

  it('waits for a scrape of the metrics port with all counts, including those of cut requests', async () => {
    const { api, metrics, scrape, stop, client } = await startBusy({
      SHUTDOWN_SCRAPE_WAIT_MS: LONG_MS,
      SHUTDOWN_GRACE_MS: '800',
    });
    const { advance, startAgain } = stopClock();
    const stopped = stop();
    for (const url of [`${api}/metrics`, metrics])
      expect(await textOf(url)).toContain('\nhttp_server_drained 0\n');
    await until('it to be drained', async () => {
      advance(10);
      return /\nhttp_server_drained 1\n/.test(await scrape('http_server_drained'));
    });
    startAgain();
    const text = await textOf(metrics);
    expect(text).toContain('\ninprogress_requests 0\n');
    expect(text).toContain('\nhttp_errors_total{code="500"} 1\n');
    expect(await stopped).toEqual({ drained: false, scraped: true });
    expect(client.text()).toBe('');
  });
});
