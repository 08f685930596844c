/** The wait for one more scrape at the end of a process: which scrapes end it, and which do not. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Gauge } from '@prometheus-io/client';
import { createDeferred, until } from '../../test/support/until.ts';
import type { Metrics } from '../src/index.ts';
import { type StartOptions, startApp, type TestApp } from './harness.ts';

const LONG_MS = 60_000;
/** On other systems the loopback interface has only one address. */
const itOnLinux = process.platform === 'linux' ? it : it.skip;
const prometheus = { 'X-Prometheus-Scrape-Timeout-Seconds': '4' };

let app: TestApp;
let metricsUrl: string;

async function start(options: StartOptions = {}): Promise<Metrics> {
  app = await startApp(() => undefined, options);
  const { port } = app.metricsServer.address() as AddressInfo;
  metricsUrl = `http://127.0.0.1:${port}/metrics`;
  return app.metrics;
}

async function scrape(query = '', init: RequestInit = {}): Promise<string> {
  return (await fetch(metricsUrl + query, init)).text();
}

/** Scrapes as the n-th Prometheus server, with its own address. */
async function scrapeAs(n: number): Promise<void> {
  const options = { agent: false, headers: prometheus, localAddress: `127.0.0.${n}` };
  const [response] = await once(httpRequest(metricsUrl, options).end(), 'response');
  await once(response.resume(), 'close');
}

/** Waits for the last scrape. @returns an object that gets the result when the wait is over */
function waiting(metrics: Metrics) {
  const state: { result?: boolean } = {};
  void metrics.lastScrape({ timeoutMs: LONG_MS }).then((result) => {
    state.result = result;
  });
  return state;
}

describe('the last scrape', () => {
  it('sets a gauge from 0 to 1 when the wait begins', async () => {
    const metrics = await start();
    expect(await scrape()).toContain('\nhttp_server_drained 0\n');
    const scraped = metrics.lastScrape({ timeoutMs: LONG_MS });
    expect(await scrape()).toContain('\nhttp_server_drained 1\n');
    expect(await scraped).toBe(true);
    expect(await scrape()).toContain('\nhttp_server_drained 1\n');
  });

  it('is not an earlier, failed or abandoned scrape, nor one of single families, nor a HEAD request', async () => {
    let gate = createDeferred();
    gate.resolve();
    let isBroken = false;
    let gathered = 0;
    const metrics = await start();
    new Gauge({
      name: 'gate',
      help: 'Waits for the test',
      registers: [metrics.registry],
      async collect() {
        gathered++;
        await gate.promise;
        if (isBroken) throw new Error('broken');
      },
    });
    const hold = () => {
      gate = createDeferred();
      return gathered;
    };

    let before = hold();
    const early = scrape();
    await until('the early scrape to begin', () => gathered > before);
    const state = waiting(metrics);
    gate.resolve();
    await early;
    expect(await scrape('?name[]=http_server_drained')).toContain('http_server_drained 1');
    await scrape('?name%5B%5D=http_server_drained');
    await scrape('', { method: 'HEAD' });
    isBroken = true;
    await scrape();
    isBroken = false;
    before = hold();
    const abandoned = httpRequest(metricsUrl, { agent: false }).on('error', () => undefined);
    const arrival = once(app.metricsServer, 'request');
    abandoned.end();
    const [, response] = await arrival;
    await until('the abandoned scrape to begin', () => gathered > before);
    abandoned.destroy();
    await once(response, 'close');
    gate.resolve();
    expect(await scrape('?name[]=metrics_scrapes_total')).toContain('{code="499"} 1');
    expect(state).toEqual({});

    await scrape();
    await until('the wait to be over', () => state.result === true);
  });

  it('is not a scrape of a public handler', async () => {
    const metrics = await start();
    app.server.removeAllListeners('request').on('request', metrics.createHandler({ isPublic: true }));
    const state = waiting(metrics);
    expect(await (await fetch(`${app.url}/metrics`)).text()).toContain('\nhttp_server_drained 1\n');
    await scrape('?name[]=none');
    expect(state).toEqual({});
    await scrape();
    await until('the wait to be over', () => state.result === true);
  });

  it('must come from Prometheus once a Prometheus has been seen', async () => {
    const metrics = await start();
    await scrape('', { headers: prometheus });
    const state = waiting(metrics);
    await scrape();
    await scrape('?name[]=none');
    expect(state).toEqual({});
    await scrape('', { headers: prometheus });
    await until('the wait to be over', () => state.result === true);
  });

  const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

  itOnLinux.each<[string, number[], number[], number]>([
    // The first scrape of another server, here the 4th, contains all counts.
    ['must come from each known Prometheus server, distinguished by address', [2, 3], [3, 3, 4], 2],
    ['is expected of only the latest 16 addresses', numbers(2, 21), numbers(7, 21), 6],
  ])('%s', async (_name, before, after, last) => {
    const metrics = await start();
    for (const n of before) await scrapeAs(n);
    const state = waiting(metrics);
    for (const n of after) await scrapeAs(n);
    expect(await metrics.lastScrape({ timeoutMs: 20 })).toBe(false);
    expect(state).toEqual({});
    await scrapeAs(last);
    await until('the wait to be over', () => state.result === true);
  });

  itOnLinux('is not expected of a server whose previous scrape is older than the timeout', async () => {
    const metrics = await start();
    await scrapeAs(2);
    const beganMs = performance.now();
    await until('that server to be forgotten', () => performance.now() - beganMs > 100);
    void metrics.lastScrape({ timeoutMs: 100 });
    const state = waiting(metrics);
    await scrapeAs(3);
    await until('the wait to be over', () => state.result === true);
  });

  it('is awaited no longer than timeoutMs', async () => {
    const metrics = await start();
    expect(await metrics.lastScrape({ timeoutMs: 0 })).toBe(false);
    expect(await metrics.lastScrape({ timeoutMs: 20 })).toBe(false);
    expect(await scrape()).toContain('\nhttp_server_drained 1\n');
  });

  it('ends every wait, including later ones', async () => {
    const metrics = await start();
    const all = [1, 2].map(() => metrics.lastScrape({ timeoutMs: LONG_MS }));
    await scrape();
    expect(await Promise.all(all)).toEqual([true, true]);
    expect(await metrics.lastScrape({ timeoutMs: 0 })).toBe(true);
  });

  it.each([[-1], [Number.NaN], [Number.POSITIVE_INFINITY], ['5s'], [undefined]])(
    'rejects a time of %p',
    async (timeoutMs) => {
      const metrics = await start();
      await expect(metrics.lastScrape({ timeoutMs: timeoutMs as number })).rejects.toThrow(
        'lastScrape: timeoutMs: expected milliseconds from 0 to 2147483647, got ',
      );
      expect(await scrape()).toContain('\nhttp_server_drained 0\n');
    },
  );
});
