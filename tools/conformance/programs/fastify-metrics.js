import cluster from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import fastify from 'fastify';
import metricsPlugin from 'fastify-metrics';

const app = fastify();
await app.register(metricsPlugin, { endpoint: '/metrics' });
if (cluster.isWorker) new app.metrics.client.AggregatorRegistry();
app.get('/users/:id', async (request) => `user ${request.params.id}`);
app.post('/orders', async (_request, reply) => reply.code(201).send('ordered'));
app.get('/slow', async () => delay(1_000, 'slow'));
app.register(async (shop) => shop.get('/items', async () => 'items'), { prefix: '/shop' });
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
console.log(`listening on ${app.server.address().port}`);
