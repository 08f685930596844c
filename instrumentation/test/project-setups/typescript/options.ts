// Types that the package accepts and rejects; compiled, never run.

import cluster from 'node:cluster';
import { Worker } from 'node:worker_threads';
import { Counter, type OpenMetricsContentType, Registry } from '@prometheus-io/client';
import express from 'express';
import {
  DURATION_BUCKETS_SECONDS,
  type InstrumentOptions,
  instrument,
  type Metrics,
} from 'express-exact-metrics';
import { type Aggregate, aggregate } from 'express-exact-metrics/cluster';

const options: InstrumentOptions = {
  registry: new Registry(),
  pathLabel: (template) => template.slice(1),
  codes: { 'POST /users': [201, 422] },
  bucketsSeconds: [...DURATION_BUCKETS_SECONDS, 30],
  exemplars: ({ headers }) => ({ order: String(headers['x-order']), attempt: 1 }),
  skip: ['/healthz'],
  defaultMetrics: false,
};
const app = express();
const metrics: Metrics = instrument(app, options);
app.get('/metrics', metrics.handler);
new Counter({ name: 'jobs_total', help: 'Jobs', registers: [metrics.registry] }).inc();
const openMetrics = instrument(express(), { registry: new Registry<OpenMetricsContentType>() });
const same: Registry<OpenMetricsContentType> = openMetrics.registry;
openMetrics.close();
void same;
const all: Aggregate = aggregate(cluster, { prefix: 'shop_', reportIntervalMs: 500 });
new Counter({ name: 'forks_total', help: 'Forks', registers: [all.registry] }).inc();
aggregate([new Worker('./thread.js')]).close();
// @ts-expect-error: it is the array of all threads
aggregate(new Worker('./thread.js'));
// @ts-expect-error: there is no such option
instrument(app, { bucket: [1] });
