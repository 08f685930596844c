// Every series starts at 0.
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Counter, Gauge, Histogram, Registry } from '@prometheus-io/client';
import express from 'express';

const registry = new Registry();
const requests = new Counter({
  name: 'http_requests_total',
  help: 'Total number of requests',
  labelNames: ['path', 'method'],
  registers: [registry],
});
const errors = new Counter({
  name: 'http_errors_total',
  help: 'Total number of errors',
  labelNames: ['code'],
  registers: [registry],
});
const inProgress = new Gauge({
  name: 'inprogress_requests',
  help: 'Total number of requests in progress',
  registers: [registry],
});
const duration = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'Duration of requests',
  labelNames: ['path', 'method', 'code'],
  registers: [registry],
});

for (const path of ['products', 'cart']) {
  for (const method of ['get', 'post']) {
    requests.inc({ path, method }, 0);
    duration.zero({ path, method, code: method === 'get' ? 200 : 201 });
  }
}
for (const code of [404, 499, 500]) errors.inc({ code }, 0);

const app = express();

app.use((request, response, next) => {
  inProgress.inc();
  const stopTimer = duration.startTimer();
  response.on('close', () => {
    inProgress.dec();
    const path = request.route?.path.slice(1) ?? 'unmatched';
    const method = request.route ? request.method.toLowerCase() : 'other';
    const code = response.writableFinished ? response.statusCode : 499;
    if (code >= 400) errors.inc({ code });
    stopTimer({ path, method, code });
  });
  next();
});

app.get('/products', (_request, response) => {
  requests.inc({ path: 'products', method: 'get' });
  response.send('product');
});
app.post('/products', (_request, response) => {
  requests.inc({ path: 'products', method: 'post' });
  response.status(201).send('created product');
});
app.get('/cart', (_request, response) => {
  requests.inc({ path: 'cart', method: 'get' });
  response.send('cart');
});
app.post('/cart', async (_request, response) => {
  requests.inc({ path: 'cart', method: 'post' });
  await sleep(2000);
  response.status(201).send('created cart');
});
app.use((_request, response) => {
  response.status(404).send('page not found');
});

app.listen(5001);
createServer(async (_request, response) => {
  response.setHeader('content-type', registry.contentType);
  response.end(await registry.metrics());
}).listen(8000);
