/** The route table of the API: one row is a path, a method, the codes it may answer and the answer. */
import type { RequestHandler } from 'express';
import type { RouteGroup } from './instrumentation/route-table.ts';

const cars = ['toyota', 'honda', 'mazda', 'lexus'];

/** Add a row here, and its route, its 405, its label values and its series at 0 exist. */
export const routes: RouteGroup = {
  path: '',
  params: { id: /^\d+$/ },
  routes: [
    { method: 'get', path: '/products', codes: [200], handler: text(200, 'product') },
    { method: 'post', path: '/products', codes: [201], handler: text(201, 'created product') },
    { method: 'get', path: '/cart', codes: [200], handler: text(200, 'cart') },
    { method: 'post', path: '/cart', codes: [201], handler: text(201, 'created cart') },
    { method: 'get', path: '/cars', codes: [200], handler: (_request, response) => void response.json(cars) },
    { method: 'post', path: '/cars', codes: [200], handler: text(200, 'Create Car') },
    { method: 'get', path: '/cars/:id', codes: [200], handler: text(200, 'Single car') },
    { method: 'patch', path: '/cars/:id', codes: [200], handler: text(200, 'Updating Car') },
    { method: 'delete', path: '/cars/:id', codes: [200], handler: text(200, 'Deleting Car') },
  ],
};

function text(status: number, body: string): RequestHandler {
  return (_request, response) => void response.status(status).type('text/plain').send(body);
}
