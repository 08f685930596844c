/** The routes that all Express programs serve, and the line that says that they do. */
const { Router } = require('express');

exports.addRoutes = (app) => {
  app.get('/users/:id', (request, response) => response.send(`user ${request.params.id}`));
  app.post('/orders', (_request, response) => response.status(201).send('ordered'));
  app.get('/slow', (_request, response) => setTimeout(() => response.send('slow'), 1_000));
  app.use(
    '/shop',
    Router().get('/items', (_request, response) => response.send('items')),
  );
};

exports.listen = (app) => {
  // The stack of an error that a probe provokes is not printed.
  app.set('env', 'test');
  const server = app.listen(Number(process.env.PORT), '127.0.0.1', () =>
    console.log(`listening on ${server.address().port}`),
  );
  return server;
};
