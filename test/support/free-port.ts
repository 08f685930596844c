/** Ports that were free a moment ago, for programs that cannot let the system choose. */
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';

/**
 * Below the ports that systems use for outgoing connections and published containers, so that a free port is still free when a replica
 * is added. Each of Jest's workers has its own range.
 */
const LOWEST = 11_000 + 1_000 * Number(process.env.JEST_WORKER_ID ?? 0);

async function listen(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Whether a program listens on the port. */
export function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, 'localhost', () => {
      socket.destroy();
      resolve(true);
    }).on('error', () => resolve(false));
  });
}

/** Ports that were returned before; their programs may not listen yet. */
const taken = new Set<number>();

export const freePort = (): Promise<number> => freeRange(1);

/** The first of `count` free ports in a row. */
export async function freeRange(count: number): Promise<number> {
  for (;;) {
    const first = LOWEST + Math.floor(Math.random() * (1_000 - count));
    const all = await Promise.allSettled(Array.from({ length: count }, (_, i) => listen(first + i)));
    for (const one of all) {
      if (one.status === 'rejected') continue;
      one.value.close();
      await once(one.value, 'close');
    }
    const ports = all.map((_, i) => first + i);
    if (!all.every(({ status }) => status === 'fulfilled') || ports.some((port) => taken.has(port))) continue;
    for (const port of ports) taken.add(port);
    return first;
  }
}
