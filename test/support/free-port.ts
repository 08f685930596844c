/** Ports that were free a moment ago: for programs that cannot let the system choose. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** A listener on a loopback port; without `port` on one that the system chooses. */
export async function listen(port = 0): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.close();
    await once(server, 'close');
  };
  return { port: (server.address() as AddressInfo).port, close };
}

export const freePort = (): Promise<number> => freeRange(1);

/** The first of `count` free ports in a row. */
export async function freeRange(count: number): Promise<number> {
  for (;;) {
    const first = await listen();
    const others = Array.from({ length: count - 1 }, (_, i) => listen(first.port + 1 + i));
    const all = await Promise.allSettled([first, ...others]);
    for (const one of all) if (one.status === 'fulfilled') await one.value.close();
    if (all.every(({ status }) => status === 'fulfilled')) return first.port;
  }
}
