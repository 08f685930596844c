/**
 * Four workers of a program on one port: `cluster.js PROGRAM [CLIENT]`. Where a client library aggregates, the primary
 * answers scrapes with the sum over the workers, as the library's documentation shows.
 */
import cluster from 'node:cluster';
import { createServer } from 'node:http';

const [, , exec, client] = process.argv;
cluster.setupPrimary({ exec, args: [] });
if (client) {
  const { AggregatorRegistry } = await import(client);
  const registry = new AggregatorRegistry();
  const server = createServer(async (_request, response) => response.end(await registry.clusterMetrics()));
  server.listen(0, '127.0.0.1', () => console.log(`metrics on ${server.address().port}`));
}
for (let i = 0; i < 4; i++) cluster.fork();
process.once('SIGTERM', () => {
  for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL');
  process.exit(0);
});
