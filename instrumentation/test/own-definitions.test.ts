/** The metrics that users define in several workers, and in the primary: one valid family for each name. */
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, jest } from '@jest/globals';
import { Counter, Gauge, Histogram, Registry, Summary } from '@prometheus-io/client';
import express from 'express';
import { aggregate } from '../src/cluster/aggregate.ts';
import { mark } from '../src/cluster/messages.ts';
import type { WorkerLike } from '../src/cluster/pm2.ts';
import { measure } from './harness.ts';
import { createPrimary, createWorker, type Send } from './reporting.ts';

type Define = (registers: Registry[]) => void;
type Primary = ReturnType<typeof createPrimary>;

/** A worker with its own metrics. */
function start(primary: Parameters<typeof createWorker>[0], define: Define) {
  const registry = new Registry();
  define([registry]);
  const worker = createWorker(primary);
  return { ...worker, ...worker.add(registry), registry };
}

/** The type and the samples of a family. */
const linesOf = async (primary: Primary, name: string) =>
  (await primary.lines())
    .filter((line) => line.startsWith(`# TYPE ${name}`) || line.startsWith(name))
    .map((line) => line.replace('# TYPE ', ''));

const jobs = { name: 'jobs_total', help: 'Jobs', labelNames: ['of'] };
const sizes = { name: 'sizes', help: 'Sizes' };

it('exposes the series of a summary by label set, which parsers of OpenMetrics require', async () => {
  const primary = createPrimary();
  for (let i = 0; i < 2; i++)
    start(primary, (registers) => {
      const labelNames = ['of'];
      const times = new Summary({
        name: 'times',
        help: 'Times',
        labelNames,
        percentiles: [0.5, 0.9],
        registers,
      });
      for (const label of ['a', 'b']) times.observe({ of: label }, 2);
    });
  expect(await linesOf(primary, 'times')).toEqual([
    'times summary',
    ...['a', 'b'].flatMap((label) => [
      `times{of="${label}",quantile="0.5"} 2`,
      `times{of="${label}",quantile="0.9"} 2`,
      `times_sum{of="${label}"} 4`,
      `times_count{of="${label}"} 2`,
    ]),
  ]);
});

it('adds only what was observed since a worker has reset its summary, also to the sum', async () => {
  const primary = createPrimary();
  const temperatures = new Registry();
  const registers = [temperatures];
  const times = new Summary({ name: 'times', help: 'Times', percentiles: [], registers });
  const degrees = new Histogram({ name: 'degrees', help: 'Degrees', buckets: [], registers });
  createWorker(primary).add(temperatures);
  for (let i = 0; i < 2; i++) times.observe(5);
  degrees.observe(5);
  expect(await linesOf(primary, 'times_')).toEqual(['times_sum 10', 'times_count 2']);
  times.reset();
  times.observe(1);
  degrees.observe(-7);
  expect(await linesOf(primary, 'times_')).toEqual(['times_sum 11', 'times_count 3']);
  expect(await linesOf(primary, 'degrees_sum')).toEqual(['degrees_sum -2']);
});

describe('a series that workers remove', () => {
  const define: Define = (registers) => new Counter({ ...jobs, registers }).inc({ of: 'a' }, 3);
  const counterOf = ({ registry }: ReturnType<typeof start>) =>
    registry.getSingleMetric('jobs_total') as Counter<'of'>;

  it('keeps its sum, which does not fall, until no worker has it, and then begins again', async () => {
    const primary = createPrimary();
    const [one, other] = [start(primary, define), start(primary, define)];
    expect(await linesOf(primary, 'jobs_total{')).toEqual(['jobs_total{of="a"} 6']);
    counterOf(one).remove('a');
    expect(await linesOf(primary, 'jobs_total{')).toEqual(['jobs_total{of="a"} 6']);
    counterOf(other).reset();
    expect(await linesOf(primary, 'jobs_total{')).toEqual([]);
    counterOf(other).inc({ of: 'a' });
    expect(await linesOf(primary, 'jobs_total{')).toEqual(['jobs_total{of="a"} 1']);
  });

  it('keeps the counts of ended workers and closed applications', async () => {
    const primary = createPrimary();
    const [one, other] = [start(primary, define), start(primary, define)];
    await primary.lines();
    one.kill();
    other.leave();
    expect(await linesOf(primary, 'jobs_total{')).toEqual(['jobs_total{of="a"} 6']);
  });
});

describe('a metric that workers define differently', () => {
  function createWarned() {
    const warn = jest.fn();
    const primary = createPrimary({ warn });
    const warning = (name: string) => [
      `${name}: workers differ in its type, help, aggregator or buckets; using the definition of the first worker`,
    ];
    return { primary, warn, warning };
  }

  it('has the type of the first worker, and that of the next ones when no other worker is left', async () => {
    const { primary, warn, warning } = createWarned();
    const first = start(primary, (registers) => new Gauge({ ...jobs, registers }).set({ of: 'a' }, 7));
    await primary.lines();
    for (let i = 0; i < 2; i++)
      start(primary, (registers) => new Counter({ ...jobs, registers }).inc({ of: 'a' }, 3));
    expect(await linesOf(primary, 'jobs_total')).toEqual(['jobs_total gauge', 'jobs_total{of="a"} 7']);
    first.kill();
    expect(await linesOf(primary, 'jobs_total')).toEqual(['jobs_total counter', 'jobs_total{of="a"} 6']);
    expect(warn.mock.calls).toEqual([warning('jobs_total')]);
  });

  it('has the buckets of the first worker, of which the others fill those that contain theirs', async () => {
    const { primary, warn, warning } = createWarned();
    const observe = (buckets: number[]) =>
      start(primary, (registers) => {
        const histogram = new Histogram({ ...sizes, buckets, registers });
        for (const size of [0.5, 5, 15, 50]) histogram.observe(size);
      });
    const first = observe([1, 10, 30]);
    await primary.lines();
    observe([2, 20]);
    observe([1, 40]);
    const expected = [
      'sizes histogram',
      'sizes_bucket{le="1.0"} 2',
      'sizes_bucket{le="10.0"} 4',
      'sizes_bucket{le="30.0"} 7',
      'sizes_bucket{le="+Inf"} 12',
      'sizes_sum 211.5',
      'sizes_count 12',
    ];
    expect(await linesOf(primary, 'sizes')).toEqual(expected);
    first.kill();
    expect(await linesOf(primary, 'sizes')).toEqual(expected);
    expect(warn.mock.calls).toEqual([warning('sizes')]);
  });

  it('has a series for each set of label names, without a warning', async () => {
    const { primary, warn } = createWarned();
    start(primary, (registers) => new Counter({ ...jobs, registers }).inc({ of: 'a' }));
    start(primary, (registers) => new Counter({ ...jobs, labelNames: ['in'], registers }).inc({ in: 'b' }));
    expect(await linesOf(primary, 'jobs_total{')).toEqual(['jobs_total{of="a"} 1', 'jobs_total{in="b"} 1']);
    expect(warn).not.toHaveBeenCalled();
  });
});

describe('a registry of the primary', () => {
  /** A primary with a worker that defines the same, and one that does not. */
  async function serve(registry: Registry, define: Define) {
    const peers = new Map<Send, WorkerLike>();
    const workers = Object.assign(new EventEmitter(), { isPrimary: true });
    const peerOf = (send: Send) => {
      const peer = peers.get(send) ?? { isConnected: () => true, send: (message) => send(message as never) };
      peers.set(send, peer);
      return peer;
    };
    const all = aggregate(workers, { registry });
    start(
      {
        members: {
          receive: (worker, message) => void workers.emit('message', peerOf(worker), mark(message)),
          end: () => undefined,
        },
      },
      define,
    ).request();
    const server = createServer(all.handler).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
    const scrape = async (accept = 'text/plain') =>
      Buffer.from(await (await fetch(url, { headers: { accept } })).arrayBuffer());
    return {
      lines: async (accept?: string) => (await scrape(accept)).toString().split('\n'),
      scrape,
      close() {
        all.close();
        server.close();
      },
    };
  }

  it('adds to the metrics that workers have, too, in one series per label set', async () => {
    const define: Define = (registers) => {
      new Counter({ ...jobs, registers }).inc({ of: 'a' }, 3);
      new Gauge({ name: 'level_max', help: 'Level', aggregator: 'max', registers }).set(5);
      new Histogram({ ...sizes, buckets: [1], registers }).observe(0.5);
    };
    const registry = new Registry();
    define([registry]);
    const all = await serve(registry, define);
    for (let i = 0; i < 2; i++)
      expect(await all.lines('application/openmetrics-text')).toEqual(
        expect.arrayContaining([
          'jobs_total{of="a"} 6',
          'level_max 5',
          'sizes_bucket{le="1.0"} 2',
          'sizes_bucket{le="+Inf"} 2',
          'sizes_sum 1',
          'sizes_count 2',
        ]),
      );
    all.close();
  });

  it('may contain an application of the primary', async () => {
    const application = express();
    const { registry } = measure(application);
    application.get('/a', (_request, response) => void response.end());
    const all = await serve(registry as Registry, () => undefined);
    const names = (await all.lines())
      .filter((line) => /^\w/.test(line))
      .map((line) => line.replace(/ \S+$/, ''));
    expect(names.length).toBeGreaterThan(50);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
    expect(await all.lines()).toContain('http_requests_total{path="/a",method="get"} 1');
    all.close();
  });
});
