/** Requests that instrumentations often miscount, as raw bytes, because a client library would correct or refuse some of them. */
import type { Socket } from 'node:net';
import { MALFORMED, UNKNOWN_BELOW } from '../common/probe-marks.ts';
import { type Origin, openSocket } from './origin.ts';
import { encodeRequest } from './request.ts';

export interface Probe {
  readonly name: string;
  /** All requests are written at once, to one connection. */
  readonly requests: readonly { readonly method: string; readonly path: string }[];
  /** Whether a route of the service handles them; undefined if services differ. */
  readonly isRouted: boolean | undefined;
  /** Whether the client disconnects without waiting for a response. */
  readonly isAborted?: true;
}

/** @param path the path of a route that handles GET */
export function createProbes(path: string): Probe[] {
  const get = { method: 'GET', path };
  const below = path.replace(/\/*(\?.*)?$/s, UNKNOWN_BELOW);
  return [
    { name: 'HEAD', requests: [{ method: 'HEAD', path }], isRouted: true },
    { name: 'an unknown path below a route', requests: [{ method: 'GET', path: below }], isRouted: false },
    { name: 'a malformed path', requests: [{ method: 'GET', path: MALFORMED }], isRouted: false },
    { name: 'three requests at once (pipelined)', requests: [get, get, get], isRouted: true },
    // A method that Node, Python and Go parse, but that no application handles and no cache acts on.
    { name: 'a method without a route', requests: [{ method: 'REPORT', path }], isRouted: undefined },
    // Sent last, because a service may count it late.
    { name: 'an aborted request', requests: [get], isRouted: true, isAborted: true },
  ];
}

/** @returns the statuses of the responses. @throws the error of the connection */
export async function sendProbe(origin: Origin, probe: Probe, timeoutMs: number): Promise<number[]> {
  const { requests, isAborted } = probe;
  const socket = await open(origin, timeoutMs);
  try {
    const bytes = requests.map((request, n) => {
      const headers: Record<string, string> = n === requests.length - 1 ? { Connection: 'close' } : {};
      return encodeRequest(origin, { ...request, headers, body: undefined }).bytes;
    });
    await new Promise<void>((resolve) => socket.write(Buffer.concat(bytes), () => resolve()));
    if (isAborted) return [];
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const heads = Buffer.concat(chunks)
      .toString('latin1')
      .matchAll(/HTTP\/1\.[01] (\d{3})/g);
    return [...heads].slice(0, requests.length).map(([, status]) => Number(status));
  } finally {
    socket.destroy();
  }
}

function open(origin: Origin, timeoutMs: number): Promise<Socket> {
  const socket = openSocket(origin, origin.hostname);
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once(origin.secure ? 'secureConnect' : 'connect', () => resolve(socket));
  });
}
