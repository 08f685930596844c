const express = require('express');
const { addRoutes, listen } = require('./express-shop.cjs');

const app = express();
addRoutes(app);
listen(app);
