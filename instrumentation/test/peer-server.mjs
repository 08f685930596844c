// PeerServer, mounted as its documentation says, and instrumented. Prints its ports.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { instrument } from 'express-exact-metrics';
import { ExpressPeerServer } from 'peer';

// The Express 4 that it was written for.
const express = createRequire(createRequire(import.meta.url).resolve('peer'))('express');
const app = express();
const server = createServer(app);
app.use('/signalling', ExpressPeerServer(server, { path: '/', allow_discovery: true }));
const metrics = instrument(app, { defaultMetrics: false }).listen(0, '127.0.0.1');
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(JSON.stringify({ api: server.address().port, metrics: metrics.address().port }));
});
