// An API without metrics.
import express from 'express';

const app = express();

app.get('/products', (_request, response) => {
  response.send('product');
});
app.post('/products', (_request, response) => {
  response.status(201).send('created product');
});
app.get('/cart', (_request, response) => {
  response.send('cart');
});
app.post('/cart', (_request, response) => {
  response.status(201).send('created cart');
});
app.use((_request, response) => {
  response.status(404).send('page not found');
});

app.listen(5001);
