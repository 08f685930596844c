const express = require('express');
const apiMetrics = require('prometheus-api-metrics');
const { addRoutes, listen } = require('./express-shop.cjs');

const app = express();
app.use(apiMetrics());
addRoutes(app);
listen(app);
