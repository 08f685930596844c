/** The requests to each program, as raw bytes. A probe returns how its requests may be counted, depending on the responses. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Metric, Sent } from './counts.ts';

export interface Probe {
  readonly title: string;
  readonly send: (port: number) => Promise<Request[]>;
  /** Its handlers continue after the last response, for at most the time that `/slow` takes. */
  readonly runsOn?: boolean;
}

export interface Request {
  readonly method: string;
  /** In the notation of Express; undefined if no route matches. */
  readonly route?: string;
  /** The status of the response; undefined if the client did not wait for it. */
  readonly code: string | undefined;
  readonly isHelper?: boolean;
}

/** Only ends hanging connections. */
const PATIENCE_MS = 60_000;
const line = (method: string, path: string, close = true) =>
  `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${method === 'POST' ? 'Content-Length: 0\r\n' : ''}${close ? 'Connection: close\r\n' : ''}\r\n`;

async function open(port: number, bytes: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setTimeout(PATIENCE_MS, () => socket.destroy());
  await once(socket, 'connect');
  socket.on('error', () => undefined).write(bytes);
  return socket;
}

/** @returns the statuses of all responses until the server closes the connection */
export async function exchange(port: number, bytes: string): Promise<string[]> {
  const socket = await open(port, bytes);
  return [...(await text(socket)).matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status as string);
}

async function ask(port: number, method: string, path: string, route?: string): Promise<Request> {
  const [code] = await exchange(port, line(method, path));
  if (code === undefined) throw new Error(`${method} ${path}: expected an answer, got none`);
  return { method, code, ...(route !== undefined && { route }) };
}

const one =
  (method: string, path: string, route?: string): Probe['send'] =>
  async (port) => [await ask(port, method, path, route)];

/** Sends `count` requests, ten at a time. */
async function many(count: number, send: (i: number) => Promise<Request>): Promise<Request[]> {
  const sent: Request[] = [];
  let next = 0;
  const work = async () => {
    while (next < count) sent.push(await send(next++));
  };
  await Promise.all(Array.from({ length: 10 }, work));
  return sent;
}

/** Of ten requests, five are for different users, three for orders, and two below a mounted router. */
const mixed = (port: number, count: number) =>
  many(count, (i) => {
    if (i % 10 < 5) return ask(port, 'GET', `/users/${i}`, '/users/:id');
    if (i % 10 < 8) return ask(port, 'POST', '/orders', '/orders');
    return ask(port, 'GET', '/shop/items', '/shop/items');
  });

/** A request to `/slow` that is answered. */
export async function slowHelper(port: number): Promise<Request> {
  return { ...(await ask(port, 'GET', '/slow', '/slow')), isHelper: true };
}

/** Slow requests on separate connections that are certainly in progress, because a helper request sent after them was answered. */
export async function slowOnes(port: number, count: number): Promise<{ sockets: Socket[]; sent: Request[] }> {
  const bytes = line('GET', '/slow');
  const sockets = await Promise.all(Array.from({ length: count }, () => open(port, bytes)));
  const sent: Request[] = [{ ...(await ask(port, 'GET', '/users/7', '/users/:id')), isHelper: true }];
  if (sockets.every(({ bytesRead }) => bytesRead === 0)) return { sockets, sent };
  // The machine was too slow, so that they have ended: they become helpers, and others are sent.
  await Promise.all(sockets.map(text));
  const late = sockets.map(() => ({ method: 'GET', route: '/slow', code: '200', isHelper: true }));
  const next = await slowOnes(port, count);
  return { sockets: next.sockets, sent: [...sent, ...late, ...next.sent] };
}

async function aborted(port: number): Promise<Request[]> {
  const { sockets, sent } = await slowOnes(port, 1);
  for (const socket of sockets) socket.destroy();
  return [...sent, { method: 'GET', route: '/slow', code: undefined }];
}

async function pipelined(port: number): Promise<Request[]> {
  const bytes = line('GET', '/users/7', false) + line('GET', '/users/8', false) + line('POST', '/orders');
  const codes = await exchange(port, bytes);
  const requests = [
    { method: 'GET', route: '/users/:id' },
    { method: 'GET', route: '/users/:id' },
    { method: 'POST', route: '/orders' },
  ];
  return codes.map((code, i) => ({ ...(requests[i] as (typeof requests)[number]), code }));
}

export const probes = {
  mixed: { title: '1,000 mixed requests, to 500 users', send: (port) => mixed(port, 1_000) },
  head: { title: '`HEAD /users/7`', send: one('HEAD', '/users/7', '/users/:id') },
  aborted: { title: 'The client closes before the answer', send: aborted, runsOn: true },
  mounted: { title: 'A 404 below a mounted router', send: one('GET', '/shop/nothing') },
  malformed: {
    title: 'A malformed path, `/users/%E0%A4%A`',
    send: one('GET', '/users/%E0%A4%A', '/users/:id'),
  },
  pipelined: { title: 'Three pipelined requests', send: pipelined },
  method: {
    title: 'A method without a route, `DELETE /users/7`',
    send: one('DELETE', '/users/7', '/users/:id'),
  },
  unknown: {
    title: '50 unknown paths',
    send: (port) => many(50, (i) => ask(port, 'GET', `/unknown-${i}.php`)),
  },
} as const satisfies Record<string, Probe>;

export type ProbeName = keyof typeof probes;

/** Codes that do not claim that a response was sent. */
const NOT_SENT = ['', '499', '4xx', 'UNKNOWN', '0'];

/** How a metric with these labels may count the requests. */
export function toSent(
  requests: readonly Request[],
  { unmatched = [''], spell = (route) => route }: Metric,
): Sent[] {
  return requests.map(({ method, route, code, isHelper = false }) => {
    const routes = route === undefined ? [] : [spell(route)];
    // If the framework itself refuses the request, the route may or may not be known.
    const isRefused = route === undefined || Number(code) >= 400;
    return {
      method: [method],
      route: isRefused ? [...routes, ...unmatched] : routes,
      code: code === undefined ? NOT_SENT : [code, `${code[0]}xx`],
      count: 1,
      isHelper,
    };
  });
}
