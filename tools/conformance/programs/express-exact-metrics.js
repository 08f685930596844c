import cluster from 'node:cluster';
import express from 'express';
import { instrument } from 'express-exact-metrics';
import { addRoutes, listen } from './express-shop.cjs';

const app = express();
const metrics = instrument(app);
addRoutes(app);
if (!cluster.isWorker) {
  const exposition = metrics.listen(0, '127.0.0.1');
  exposition.on('listening', () => console.log(`metrics on ${exposition.address().port}`));
}
const server = listen(app);
process.once('SIGTERM', () => {
  server.close(async () => {
    await metrics.lastScrape({ timeoutMs: 10_000 });
    process.exit(0);
  });
});
