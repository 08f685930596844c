/**
 * The process that keeps the marks of load runs for Prometheus to read. It is in the place of Prometheus' remote-write receiver, into which
 * whoever reaches Prometheus could write any series: `node loadgen/dist/marks/main.js`, on the port in MARKS_PORT (9095).
 */
import { createServer } from 'node:http';
import { createMarksHandler } from './handler.ts';
import { createMarks } from './marks.ts';

const text = process.env.MARKS_PORT || '9095';
if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
  process.stderr.write(`MARKS_PORT: expected a port from 0 to 65535, got "${text}"\n`);
  process.exit(2);
}

const server = createServer(
  { requestTimeout: 5_000, headersTimeout: 5_000, connectionsCheckingInterval: 1_000 },
  createMarksHandler(createMarks(Date.now)),
);
server.maxConnections = 100;
server.on('error', (error) => {
  process.stderr.write(`the marks cannot be served: ${error.message}\n`);
  process.exit(1);
});
server.listen(Number(text), () => {
  const address = server.address();
  process.stderr.write(
    `marks of load runs on port ${typeof address === 'object' ? address?.port : address}\n`,
  );
});
// Nothing is lost by cutting: a mark that was not taken is said by its sender.
for (const signal of ['SIGTERM', 'SIGINT'])
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
  });
