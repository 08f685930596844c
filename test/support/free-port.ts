/** Ports that were free a moment ago, for programs that cannot let the system choose. */
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';

/**
 * Below the ports that systems use for outgoing connections and published containers, so that a free port is still free when a replica
 * is added.
 */
const [LOWEST, HIGHEST] = [11_000, 32_000];

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

/**
 * Claims a port until this process ends, because its program may not listen yet. The claim is a name in Linux' abstract namespace, so
 * that no other test run gets the port. @returns whether it was not claimed before
 */
function claim(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const claimed = createServer().listen(`\0observability-stack-port-${port}`, () => resolve(true));
    claimed.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'EADDRINUSE')).unref();
  });
}

export const freePort = (): Promise<number> => freeRange(1);

/** The first of `count` free ports in a row. */
export async function freeRange(count: number): Promise<number> {
  for (;;) {
    const first = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST - count));
    const ports = Array.from({ length: count }, (_, i) => first + i);
    const all = await Promise.allSettled(ports.map(listen));
    for (const one of all) {
      if (one.status === 'rejected') continue;
      one.value.close();
      await once(one.value, 'close');
    }
    if (!all.every(({ status }) => status === 'fulfilled')) continue;
    if ((await Promise.all(ports.map(claim))).every(Boolean)) return first;
  }
}
