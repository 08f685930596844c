/** The routes of the API. Each row has a method, a path, the status code of the response, and the handler. */
import type { RequestHandler } from 'express';

export interface Route {
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  /** Express path template. */
  readonly path: string;
  /** The status code that `handler` sends; its series exists at 0 from the start. */
  readonly code: number;
  readonly handler: RequestHandler;
}

const cars = ['toyota', 'honda', 'mazda', 'lexus'];

/** A row added here creates the route, its 405 and its series at 0. */
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

/** The patterns that decoded values of parameters must match; otherwise the path is not found. */
export const parameters: Readonly<Record<string, RegExp>> = { id: /^\d+$/ };

function text(code: number, body: string): Pick<Route, 'code' | 'handler'> {
  return { code, handler: (_request, response) => void response.status(code).type('text/plain').send(body) };
}
