/** A cluster of four workers, instrumented with this package, or by hand with the `AggregatorRegistry` of a client library. */
import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import * as successor from '@prometheus-io/client';
import express from 'express';
import { instrument } from 'express-exact-metrics';
import { aggregate } from 'express-exact-metrics/cluster';
import * as promClient from 'prom-client';
import { portOf } from '../../../test/support/server.ts';
import { subjects } from '../middleware/apps.ts';
import { byHand } from '../middleware/by-hand.ts';

const WORKERS = 4;

const variant = process.argv[2];
const subject = subjects[150] as (typeof subjects)[string];
const library = (variant === 'prom-client' ? promClient : successor) as typeof successor;

function listen(): Server {
  if (variant === 'this package') return aggregate(cluster).listen(0, '127.0.0.1');
  const registry = new library.AggregatorRegistry();
  return createServer(async (_request, response) => {
    const text = await registry.clusterMetrics().catch((error: Error) => error);
    if (text instanceof Error) response.statusCode = 500;
    response.end(String(text));
  }).listen(0, '127.0.0.1');
}

async function primary(): Promise<void> {
  const server = listen();
  const metricsPort = await portOf(server);
  let bytes = 0;
  cluster.on('message', (_worker, message) => {
    if (process.env.COUNT_BYTES) bytes += Buffer.byteLength(JSON.stringify(message));
  });
  for (let i = 0; i < WORKERS; i++) cluster.fork();
  let port = 0;
  for (let i = 0; i < WORKERS; i++) [, { port }] = await once(cluster, 'listening');
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const pids = () => Object.values(cluster.workers ?? {}).flatMap((one) => one?.process.pid ?? []);
  process.send?.({ port, metricsPort, pids: pids() });
  process.on('disconnect', () => process.exit());
  process.on('message', () => {
    process.send?.({ bytes, delayMs: delay.max / 1e6, pids: pids() });
    delay.reset();
    bytes = 0;
  });
}

function worker(): void {
  const app = express();
  if (variant === 'this package') instrument(app, { warn: () => undefined });
  else {
    const registry = new library.Registry();
    library.AggregatorRegistry.setRegistries([registry]);
    // Its constructor listens to the primary.
    new library.AggregatorRegistry();
    const zeros = subject.routes.flatMap((route) =>
      [200, 499, 500].map((code) => ({ ...route, code: String(code) })),
    );
    byHand(library, app, zeros, registry);
  }
  subject.build(app);
  app.listen(0, '127.0.0.1');
}

if (cluster.isPrimary) await primary();
else worker();
