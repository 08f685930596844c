// The API of step 1 with a slow payment, and one line for metrics.
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import { instrument } from 'express-exact-metrics';

const app = express();
instrument(app, { pathLabel: (template) => template.slice(1) }).listen(8000);

app.get('/products', (_request, response) => {
  response.send('product');
});
app.post('/products', (_request, response) => {
  response.status(201).send('created product');
});
app.get('/cart', (_request, response) => {
  response.send('cart');
});
app.post('/cart', async (_request, response) => {
  await sleep(2000);
  response.status(201).send('created cart');
});
app.use((_request, response) => {
  response.status(404).send('page not found');
});

app.listen(5001);
