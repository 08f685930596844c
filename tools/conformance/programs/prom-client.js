import cluster from 'node:cluster';
import { AggregatorRegistry, collectDefaultMetrics, Histogram, register } from '@prometheus-io/client';
import express from 'express';
import { addRoutes, listen } from './express-shop.cjs';

collectDefaultMetrics();
const duration = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'Duration of HTTP requests',
  labelNames: ['method', 'route', 'code'],
});
const app = express();
app.use((request, response, next) => {
  const end = duration.startTimer();
  response.on('finish', () => {
    const route = request.route ? request.baseUrl + request.route.path : 'unmatched';
    end({ method: request.method, route, code: response.statusCode });
  });
  next();
});
app.get('/metrics', async (_request, response) => {
  response.type(register.contentType).send(await register.metrics());
});
if (cluster.isWorker) new AggregatorRegistry();
addRoutes(app);
listen(app);
