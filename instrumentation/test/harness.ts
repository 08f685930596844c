/** Runs an application on a free port and reads its metrics as Prometheus would. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect } from '@jest/globals';
import { Registry } from '@prometheus-io/client';
import express, { type Express, type Request, type Response } from 'express';
import { connectRaw, type RawClient } from '../../test/support/raw-client.ts';
import { until } from '../../test/support/until.ts';
import { type InstrumentOptions, instrument, type Metrics } from '../src/index.ts';

export interface TestApp {
  readonly port: number;
  readonly url: string;
  readonly server: Server;
  readonly metricsServer: Server;
  readonly metrics: Metrics;
  /** The exposition as text, of these families or of all. */
  scrape(...families: string[]): Promise<string>;
  /** The counts by meaning; see {@link Counts}. */
  counts(): Promise<Counts>;
  /** Opens a connection and sends `bytes`. */
  send(bytes: string): Promise<RawClient>;
  /** Waits until the requests of `expected` have ended, by `method path code`, and asserts that no others have. */
  expectCounted(expected: Counts['durations']): Promise<void>;
  /** Polls until `total` requests have ended and none is in progress, then returns the counts. */
  settled(total: number): Promise<Counts>;
  close(): Promise<void>;
}

/** The values of the request metrics that are not 0. */
export interface Counts {
  /** `http_requests_total`, by `method path`. */
  readonly requests: Record<string, number>;
  /** `http_errors_total`, by code. */
  readonly errors: Record<string, number>;
  /** `http_request_duration_seconds_count`, by `method path code`. */
  readonly durations: Record<string, number>;
  readonly inProgress: number;
}

export interface StartOptions extends InstrumentOptions {
  /** The Express to build with. Default: the newest. */
  readonly createApp?: () => Express;
  /** Builds the application before it is instrumented instead of after. */
  readonly isLate?: boolean;
}

/** The applications that tests have started and not closed. */
const running = new Set<TestApp>();

afterEach(async () => {
  for (const app of running) await app.close();
});

export const ok = (_request: Request, response: Response) => void response.send('ok');

/** Instruments without process metrics and with a separate registry, which also selects the client library. */
export const measure = (app: Express, options: InstrumentOptions = {}): Metrics =>
  instrument(app, { registry: new Registry(), defaultMetrics: false, ...options });

/** Starts an application that is instrumented before `build` adds its routes. */
export async function startApp(
  build: (app: Express) => void,
  { createApp = express, isLate = false, ...options }: StartOptions = {},
): Promise<TestApp> {
  const app = createApp();
  if (isLate) build(app);
  const metrics = measure(app, options);
  if (!isLate) build(app);
  // Otherwise Express would print the errors that handlers throw.
  app.set('env', 'test');
  return serve(app, metrics);
}

/** @param metrics of `app` or of an application in it */
export async function serve(
  app: Express,
  metrics = measure(app),
  server: Server = createServer(app),
): Promise<TestApp> {
  // As the README recommends, so that Node does not answer 417 itself.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.listen(0, '127.0.0.1');
  const metricsServer = metrics.listen(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(metricsServer, 'listening')]);
  const { port } = server.address() as AddressInfo;
  const metricsUrl = `http://127.0.0.1:${(metricsServer.address() as AddressInfo).port}/metrics`;
  const scrape = async (...families: string[]) => {
    const query = families.map((name) => `name[]=${name}`).join('&');
    return (await fetch(`${metricsUrl}?${query}`)).text();
  };
  const counts = async () => toCounts(await scrape());
  const started: TestApp = {
    port,
    url: `http://127.0.0.1:${port}`,
    server,
    metricsServer,
    metrics,
    scrape,
    counts,
    async send(bytes) {
      const client = await connectRaw(port);
      client.send(bytes);
      return client;
    },
    async expectCounted(expected) {
      expect((await started.settled(sum(expected))).durations).toEqual(expected);
    },
    async settled(total) {
      let last: Counts | undefined;
      await until(
        () => `${total} ended requests and none in progress; there is ${JSON.stringify(last)}`,
        async () => {
          last = await counts();
          return last.inProgress === 0 && sum(last.durations) >= total;
        },
      );
      return consistent(await counts());
    },
    async close() {
      for (const one of [server, metricsServer].filter(({ listening }) => listening)) {
        const closed = once(one, 'close');
        one.close();
        one.closeAllConnections();
        await closed;
      }
      running.delete(started);
    },
  };
  running.add(started);
  return started;
}

export function sum(values: Readonly<Record<string, number>>): number {
  return Object.values(values).reduce((total, value) => total + value, 0);
}

/** Asserts that the metrics agree with each other, as they must at every moment. @returns `counts` */
export function consistent(counts: Counts): Counts {
  const requests: Record<string, number> = {};
  const errors: Record<string, number> = {};
  for (const [series, count] of Object.entries(counts.durations)) {
    // A path that is a regular expression may contain spaces.
    const [, method, path, code = ''] = /^(\S+) (.*) (\S+)$/.exec(series) ?? [];
    if (path !== 'unmatched') requests[`${method} ${path}`] = (requests[`${method} ${path}`] ?? 0) + count;
    if (code >= '400') errors[code] = (errors[code] ?? 0) + count;
  }
  expect({ requests: counts.requests, errors: counts.errors }).toEqual({ requests, errors });
  return counts;
}

/** The samples of a text exposition, as name, labels and value. */
export function parse(text: string): { name: string; labels: Record<string, string>; value: number }[] {
  return [...text.matchAll(/^([a-z_]+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name = '', labels = '', value]) => ({
    name,
    labels: Object.fromEntries(
      [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', raw = '']) => [
        label,
        raw.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped)),
      ]),
    ),
    value: Number(value),
  }));
}

export function toCounts(text: string): Counts {
  const samples = parse(text);
  const collect = (name: string, labels: readonly string[]) =>
    Object.fromEntries(
      samples
        .filter((sample) => sample.name === name && sample.value !== 0)
        .map(({ labels: own, value }) => [labels.map((label) => own[label]).join(' '), value]),
    );
  return {
    requests: collect('http_requests_total', ['method', 'path']),
    errors: collect('http_errors_total', ['code']),
    durations: collect('http_request_duration_seconds_count', ['method', 'path', 'code']),
    inProgress: collect('inprogress_requests', [])[''] ?? 0,
  };
}
