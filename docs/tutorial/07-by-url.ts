// A trap: the URL as a label.
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

const app = express();

app.use((request, response, next) => {
  inProgress.inc();
  const stopTimer = duration.startTimer();
  response.on('finish', () => {
    inProgress.dec();
    const method = request.method.toLowerCase();
    stopTimer({ path: request.path, method, code: response.statusCode });
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
  errors.inc({ code: '404' });
  response.status(404).send('page not found');
});

app.listen(5001);
createServer(async (_request, response) => {
  response.setHeader('content-type', registry.contentType);
  response.end(await registry.metrics());
}).listen(8000);
