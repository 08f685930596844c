// A server of several processes, as users write it. A test controls its primary.
import cluster from 'node:cluster';
import { once } from 'node:events';
import process from 'node:process';
import express from 'express';
import { instrument } from 'express-exact-metrics';
import { aggregate } from 'express-exact-metrics/cluster';
import { defineRoutes, obey } from './routes.js';

const { WORKERS = '2', SERIALIZATION, ON_SIGTERM, LISTENS_LATE, IS_LATE } = process.env;
// A busy machine may pause a worker for longer than the default of a second, after which a scrape shows earlier counts.
const { REPORT_INTERVAL_MS = '1000', ANSWER_TIMEOUT_MS = '60000' } = process.env;

if (cluster.isPrimary) await primary();
else worker();

async function primary() {
  if (SERIALIZATION) cluster.setupPrimary({ serialization: SERIALIZATION });
  const options = {
    reportIntervalMs: Number(REPORT_INTERVAL_MS),
    answerTimeoutMs: Number(ANSWER_TIMEOUT_MS),
  };
  const start = () => aggregate(cluster, options);
  let metrics = IS_LATE ? undefined : start();
  cluster.on('fork', (started) => process.send?.({ started: started.process.pid }));
  cluster.on('exit', (ended) => process.send?.({ ended: ended.process.pid }));
  for (let i = 0; i < Number(WORKERS); i++) cluster.fork();
  const addresses = [];
  while (addresses.length < Number(WORKERS)) addresses.push((await once(cluster, 'listening'))[1]);
  metrics ??= start();
  const server = metrics.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const metricsPort = server.address().port;
  process.send?.({ port: addresses[0].port, metricsPort });

  obey({
    fork: () => once(cluster.fork(), 'listening'),
    signal: async ([pid, signal]) => process.kill(pid, signal),
    /** A rolling restart: each worker is replaced before the next one ends. */
    restart: async () => {
      for (const old of Object.values(cluster.workers ?? {})) {
        await once(cluster.fork(), 'listening');
        old?.disconnect();
        await once(old, 'exit');
      }
    },
    kill: async () => Object.values(cluster.workers ?? {})[0]?.kill(),
    lastScrape: () => metrics.lastScrape({ timeoutMs: 60_000 }),
    aggregateAgain: async () => {
      metrics.close();
      metrics = start();
      await once(metrics.listen(metricsPort, '127.0.0.1'), 'listening');
    },
    workers: async () => Object.values(cluster.workers ?? {}).map((one) => one?.process.pid),
  });
}

function worker() {
  const app = express();
  const metrics = instrument(app, { nativeHistograms: true, warn: () => undefined });
  defineRoutes(app, metrics.registry, cluster.worker.id);
  const server = app.listen(0, '127.0.0.1');
  // Otherwise `close` would cut connections whose first request has not arrived, which Node considers idle.
  server.closeIdleConnections = () => undefined;
  const ends = {
    /** For clusters: the primary gives new connections to another worker. */
    disconnect: () => cluster.worker?.disconnect(),
    /** For single processes. */
    close: () =>
      server.close(async () => {
        await metrics.lastScrape({ timeoutMs: 60_000 });
        process.exit(0);
      }),
  };
  const listen = () => void process.once('SIGTERM', ends[ON_SIGTERM]);
  if (LISTENS_LATE) server.once('request', listen);
  else if (ON_SIGTERM) listen();
}
