/** Runs an application on a free port, speaks to it over raw sockets, and reads its metrics. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, jest } from '@jest/globals';
import pino from 'pino';
import { createApp } from '../src/app.ts';
import { createGather, Registry } from '../src/instrumentation/library.ts';
import { createMetrics } from '../src/instrumentation/metrics.ts';
import type { Family } from '../src/instrumentation/render.ts';
import { type RouteGroup, toRouteLabels } from '../src/instrumentation/route-table.ts';
import { createServer } from '../src/server.ts';
import type { Simulation } from '../src/simulation.ts';

const DEADLINE_MS = 10_000;

// Longer than the deadline, whose error says what was waited for.
jest.setTimeout(3 * DEADLINE_MS);

export interface TestApp {
  readonly port: number;
  readonly url: string;
  readonly server: Server;
  /** All families now. */
  gather(): Promise<Family[]>;
  /** The counts by what they stand for; see {@link Counts}. */
  counts(): Promise<Counts>;
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

export const silent = pino({ level: 'silent' });

export async function startApp(routes: RouteGroup, simulation?: Simulation): Promise<TestApp> {
  const registry = new Registry();
  const metrics = createMetrics(registry, toRouteLabels(routes));
  const gather = createGather(registry);
  const server = createServer(createApp({ routes, metrics, log: silent, simulation }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const counts = async () => toCounts(await gather());
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    server,
    gather,
    counts,
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
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Polls `condition` until it holds. @throws after ten seconds, naming `what` was waited for */
export async function until(
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`);
    await delay(1);
  }
}

export function sum(values: Readonly<Record<string, number>>): number {
  return Object.values(values).reduce((total, value) => total + value, 0);
}

/** Asserts what must hold between the metrics at every moment. @returns `counts` */
export function consistent(counts: Counts): Counts {
  const requests: Record<string, number> = {};
  const errors: Record<string, number> = {};
  for (const [series, count] of Object.entries(counts.durations)) {
    const [method, path, code = ''] = series.split(' ');
    if (path !== 'unmatched') requests[`${method} ${path}`] = (requests[`${method} ${path}`] ?? 0) + count;
    if (code >= '400') errors[code] = (errors[code] ?? 0) + count;
  }
  expect({ requests: counts.requests, errors: counts.errors }).toEqual({ requests, errors });
  return counts;
}

/** A connection on which the test writes bytes as it likes. */
export interface RawClient {
  readonly socket: Socket;
  /** What has been received so far. */
  text(): string;
  send(bytes: string): void;
  /** Polls until `count` responses with a status line have begun to arrive. */
  responses(count: number): Promise<string[]>;
  /** Waits until the other side has closed. */
  closed(): Promise<void>;
}

export async function connectRaw(port: number): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  let isClosed = false;
  socket.setEncoding('latin1').on('data', (data: string) => {
    text += data;
  });
  socket
    .on('error', () => undefined)
    .on('close', () => {
      isClosed = true;
    });
  await once(socket, 'connect');
  const statuses = () => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status as string);
  return {
    socket,
    text: () => text,
    send: (bytes) => void socket.write(bytes, 'latin1'),
    async responses(count) {
      await until(
        () => `${count} responses; received: ${text}`,
        () => statuses().length >= count,
      );
      return statuses();
    },
    closed: () => until('the server to close the connection', () => isClosed),
  };
}

function toCounts(families: readonly Family[]): Counts {
  const collect = (name: string, labels: readonly string[], suffix = '') => {
    const family = families.find((candidate) => candidate.name === name);
    if (!family) throw new Error(`${name} is not exposed`);
    const samples = family.values.filter(
      ({ metricName = name, value }) => metricName === name + suffix && value !== 0,
    );
    return Object.fromEntries(
      samples.map(({ labels: own = {}, value }) => [labels.map((l) => own[l]).join(' '), value]),
    );
  };
  return {
    requests: collect('http_requests_total', ['method', 'path']),
    errors: collect('http_errors_total', ['code']),
    durations: collect('http_request_duration_seconds', ['method', 'path', 'code'], '_count'),
    inProgress: collect('inprogress_requests', [])[''] ?? 0,
  };
}
