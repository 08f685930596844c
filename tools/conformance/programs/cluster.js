/**
 * Four workers of a program on one port: `cluster.js PROGRAM [PACKAGE]`. If a package aggregates, the primary answers
 * scrapes with the sum over the workers, as in the package's documentation. A worker that exits is replaced.
 */
import cluster from 'node:cluster';
import { createServer } from 'node:http';

const [, , exec, name] = process.argv;
cluster.setupPrimary({ exec, args: [] });
if (name) {
  const { aggregate, AggregatorRegistry } = await import(name);
  const server = aggregate
    ? aggregate(cluster).listen(0, '127.0.0.1')
    : answerBy(new AggregatorRegistry()).listen(0, '127.0.0.1');
  server.once('listening', () => console.log(`metrics on ${server.address().port}`));
}
for (let i = 0; i < 4; i++) cluster.fork();
cluster.on('exit', () => cluster.fork());
process.once('SIGTERM', () => {
  cluster.removeAllListeners('exit');
  for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL');
  process.exit(0);
});

function answerBy(registry) {
  return createServer((_request, response) => {
    const fail = (error) => response.writeHead(500).end(error.message);
    registry.clusterMetrics().then((text) => response.end(text), fail);
  });
}
