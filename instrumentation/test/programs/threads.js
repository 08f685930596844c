// A server of several threads, each with its own listener. A test controls its main thread.
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import express from 'express';
import { instrument } from 'express-exact-metrics';
import { aggregate } from 'express-exact-metrics/cluster';
import { defineRoutes, obey } from './routes.js';

if (isMainThread) await main();
else thread();

async function main() {
  const { REPORT_INTERVAL_MS = '1000', ANSWER_TIMEOUT_MS = '60000' } = process.env;
  const options = {
    reportIntervalMs: Number(REPORT_INTERVAL_MS),
    answerTimeoutMs: Number(ANSWER_TIMEOUT_MS),
  };
  const never = new Int32Array(new SharedArrayBuffer(4));
  const ports = new Map();
  const begin = async () => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: never });
    worker.on('error', () => undefined).once('exit', () => ports.delete(worker));
    ports.set(worker, (await once(worker, 'message'))[0]);
    return worker;
  };
  const workers = [await begin(), await begin()];
  const metrics = aggregate(workers, options);
  const server = metrics.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send?.({ port: ports.get(workers[0]), metricsPort: server.address().port });

  obey({
    ports: async () => [...ports.values()],
    stop: async () => workers[0].postMessage('stop'),
    terminate: () => workers[0].terminate(),
    add: async () => metrics.add(await begin()),
    addAgain: async () => metrics.add(workers[0]),
    addEnded: async () => {
      for (let i = 0; i < 2; i++) {
        const worker = await begin();
        await worker.terminate();
        metrics.add(worker);
      }
      const watched = await begin();
      metrics.add(watched);
      watched.postMessage('stop');
      await once(watched, 'exit');
      metrics.add(watched);
    },
  });
}

function thread() {
  const app = express();
  const metrics = instrument(app, { warn: () => undefined });
  defineRoutes(app, metrics.registry, 1);
  app.get('/block', (_request, response) => response.end(() => Atomics.wait(workerData, 0, 0)));
  const server = app.listen(0, '127.0.0.1', () => parentPort?.postMessage(server.address().port));
  parentPort?.once('message', () => {
    server.close(async () => {
      await metrics.lastScrape({ timeoutMs: 60_000 });
    });
  });
}
