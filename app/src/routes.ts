/** The routes of the API: one row is a method, a path, the code that it answers with, and the handler. */
import type { RequestHandler } from 'express';

export interface Route {
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  /** Express path template. */
  readonly path: string;
  /** The code that `handler` sends; its series exists at 0 from the start. */
  readonly code: number;
  readonly handler: RequestHandler;
}

const cars = ['toyota', 'honda', 'mazda', 'lexus'];

/** Add a row here, and its route, its 405 and its series at 0 exist. */
export const routes: readonly Route[] = [
  { method: 'get', path: '/products', ...text(200, 'product') },
  { method: 'post', path: '/products', ...text(201, 'created product') },
  { method: 'get', path: '/cart', ...text(200, 'cart') },
  { method: 'post', path: '/cart', ...text(201, 'created cart') },
  { method: 'get', path: '/cars', code: 200, handler: (_request, response) => void response.json(cars) },
  { method: 'post', path: '/cars', ...text(200, 'Create Car') },
  { method: 'get', path: '/cars/:id', ...text(200, 'Single car') },
  { method: 'patch', path: '/cars/:id', ...text(200, 'Updating Car') },
  { method: 'delete', path: '/cars/:id', ...text(200, 'Deleting Car') },
];

/** What the (decoded) value of a parameter must look like; a path whose value differs is not found. */
export const parameters: Readonly<Record<string, RegExp>> = { id: /^\d+$/ };

function text(code: number, body: string): Pick<Route, 'code' | 'handler'> {
  return { code, handler: (_request, response) => void response.status(code).type('text/plain').send(body) };
}
