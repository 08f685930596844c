/** The routes of all Express programs, and the line that they print when they listen. */
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
  // Express then does not print the stacks of errors that probes provoke.
  app.set('env', 'test');
  const server = app.listen(Number(process.env.PORT), '127.0.0.1', () =>
    console.log(`listening on ${server.address().port}`),
  );
  return server;
};
