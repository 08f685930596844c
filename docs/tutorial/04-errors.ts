// Errors by status code.
import { createServer } from 'node:http';
import { Counter, Registry } from '@prometheus-io/client';
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

const app = express();

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
app.post('/cart', (_request, response) => {
  requests.inc({ path: 'cart', method: 'post' });
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
