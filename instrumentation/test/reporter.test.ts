/** Reports of workers in one process: several applications in a worker, labels, and failures. */

import cluster from 'node:cluster';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from '@jest/globals';
import { Counter, Gauge, Registry } from '@prometheus-io/client';
import express from 'express';
import { aggregate } from '../src/cluster/aggregate.ts';
import { type AnyRegistry, metricsOf } from '../src/library.ts';
import { createPrimary, createWorker } from './reporting.ts';

describe('a primary', () => {
  it('adds up the applications of a worker, and their metrics only once if they share a registry', async () => {
    const primary = createPrimary();
    const registry = new Registry();
    new Counter({ name: 'jobs_total', help: 'Jobs', registers: [registry] }).inc(2);
    const worker = createWorker(primary);
    const apps = [worker.add(registry), worker.add(registry), worker.add(registry, 'admin_')];
    for (const { request } of apps) request();
    await primary.expectLines(
      'http_requests_total{path="/a",method="get"} 2',
      'admin_http_requests_total{path="/a",method="get"} 1',
      'jobs_total 2',
    );
  });

  it('keeps the labels that a registry adds to all of its metrics', async () => {
    const primary = createPrimary();
    for (const zone of ['a', 'b']) {
      const registry = new Registry();
      registry.setDefaultLabels({ zone });
      new Gauge({ name: 'level', help: 'Level', registers: [registry] }).set(3);
      createWorker(primary).add(registry).request();
    }
    await primary.expectLines(
      'http_requests_total{path="/a",method="get",zone="a"} 1',
      'http_requests_total{path="/a",method="get",zone="b"} 1',
      'level{zone="a"} 3',
      'level{zone="b"} 3',
    );
  });

  it('accepts values that JSON lacks, and labels of any type', async () => {
    const primary = createPrimary();
    const registry = new Registry();
    const gauge = new Gauge({ name: 'level', help: 'Level', labelNames: ['of'], registers: [registry] });
    gauge.set({ of: 'one' }, Number.POSITIVE_INFINITY);
    gauge.set({ of: 1n as unknown as string }, Number.NaN);
    createWorker(primary).add(registry);
    await primary.expectLines('level{of="one"} +Inf', 'level{of="1"} NaN');
  });

  it('drops series that a worker has removed', async () => {
    const primary = createPrimary();
    const registry = new Registry();
    const level = new Gauge({ name: 'level', help: 'Level', labelNames: ['of'], registers: [registry] });
    const jobs = new Counter({ name: 'jobs_total', help: 'Jobs', labelNames: ['of'], registers: [registry] });
    createWorker(primary).add(registry);
    for (let i = 0; i < 50; i++) {
      level.set({ of: String(i) }, i);
      jobs.inc({ of: String(i) });
      const own = (await primary.lines()).filter((line) => /^(level|jobs_total)\{/.test(line));
      expect(own.sort()).toEqual([`jobs_total{of="${i}"} 1`, `level{of="${i}"} ${i}`]);
      level.reset();
      jobs.remove(String(i));
    }
    registry.clear();
    expect((await primary.lines()).filter((line) => /^(level|jobs_total)/.test(line))).toEqual([]);
  });

  it('keeps the counts of a closed application, but no requests in progress', async () => {
    const primary = createPrimary();
    const worker = createWorker(primary);
    const [closed, open] = [worker.add(new Registry()), worker.add(new Registry())];
    closed.request();
    for (const { counts } of [closed, open]) counts.inProgress = 1;
    await primary.lines();
    closed.leave();
    await primary.expectLines('http_requests_total{path="/a",method="get"} 1', 'inprogress_requests 1');
  });

  it('keeps what the registry of a closed application has counted since the last report', async () => {
    const primary = createPrimary();
    const registry = new Registry();
    const jobs = new Counter({ name: 'jobs_total', help: 'Jobs', registers: [registry] });
    const { leave } = createWorker(primary).add(registry);
    await primary.expectLines('jobs_total 0');
    jobs.inc(3);
    leave();
    await primary.expectLines('jobs_total 3');
  });

  it('fails a scrape and names a metric whose aggregator is unknown', async () => {
    const primary = createPrimary();
    const registry = new Registry();
    new Gauge({ name: 'level', help: 'Level', registers: [registry] }).set(1);
    for (const metric of metricsOf(registry as AnyRegistry)) Object.assign(metric, { aggregator: 'median' });
    createWorker(primary).add(registry);
    await expect(primary.lines()).rejects.toThrow(
      'level: aggregator: expected sum, first, average, min, max or omit, got "median"',
    );
  });

  it('keeps only the sums of ended workers', async () => {
    const primary = createPrimary();
    let size = 0;
    for (let i = 1; i <= 30; i++) {
      const registry = new Registry();
      new Counter({ name: 'jobs_total', help: 'Jobs', registers: [registry] }).inc();
      new Gauge({ name: 'level', help: 'Level', registers: [registry] }).set(1);
      const worker = createWorker(primary);
      worker.add(registry).request();
      const lines = await primary.lines();
      expect(lines).toEqual(
        expect.arrayContaining([
          `http_requests_total{path="/a",method="get"} ${i}`,
          `jobs_total ${i}`,
          'level 1',
        ]),
      );
      expect(primary.members.ages().map(({ labels }) => labels.worker)).toEqual(['1']);
      if (i === 1) size = lines.length;
      expect(lines).toHaveLength(size);
      primary.members.end(worker.worker);
    }
  });
});

describe('aggregate', () => {
  it.each([
    [{}, {}, 'workers: expected the cluster of a primary, or an array of threads, got object'],
    [
      { isPrimary: false, isWorker: true },
      {},
      'workers: expected the cluster of a primary, or an array of threads, got that of a worker',
    ],
    [cluster, { reportIntervalMs: 0 }, 'reportIntervalMs: expected milliseconds from 10 to 60000, got 0'],
    [cluster, { answerTimeoutMs: '1s' }, 'answerTimeoutMs: expected milliseconds from 10 to 60000, got "1s"'],
    [cluster, { prefix: '1' }, 'prefix: expected a prefix of a metric name, got "1"'],
    [
      cluster,
      { bucketsSeconds: [1] },
      'bucketsSeconds: unknown option; expected one of registry, prefix, defaultMetrics, maxScrapes, warn, reportIntervalMs, answerTimeoutMs',
    ],
  ])('rejects invalid parameters: %#', (workers, options, expected) => {
    expect(() => aggregate(workers as never, options as never)).toThrow(`aggregate: ${expected}`);
  });

  it.each([
    ['a cluster', () => cluster],
    ['threads', (thread: Worker) => [thread]],
  ])(
    'refuses %s of another aggregate, which would get no more reports, until that one is closed',
    async (_of, of) => {
      const thread = new Worker('setInterval(() => undefined, 1000)', { eval: true });
      const start = () => aggregate(of(thread), { warn: () => undefined });
      const first = start();
      expect(start).toThrow('aggregate: workers: expected none of another aggregate; close that one first');
      first.close();
      start().close();
      await thread.terminate();
    },
  );

  it('can be closed and started again, and is 0 without workers', async () => {
    const registry = new Registry();
    new Gauge({ name: 'own', help: 'Of the primary', registers: [registry] }).set(7);
    for (let i = 0; i < 2; i++) {
      const all = aggregate(cluster, { registry, prefix: 'shop_', defaultMetrics: false });
      const server = express().get('/metrics', all.handler).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      expect(text).toContain('\nshop_http_server_workers 0\n');
      expect(text).toContain('\nown 7\n');
      all.close();
      server.close();
    }
  });
});
