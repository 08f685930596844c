const cluster = require('node:cluster');
const promBundle = require('express-prom-bundle');
const promClient = require('prom-client');
const express = require('express');
const { addRoutes, listen } = require('./express-shop.cjs');

const app = express();
if (cluster.isWorker) new promClient.AggregatorRegistry();
app.use(promBundle({ includeMethod: true, includePath: true, autoregister: !cluster.isWorker }));
addRoutes(app);
listen(app);
