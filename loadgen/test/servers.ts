/** Servers for the tests, on free ports, that leave nothing behind. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';

export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly sockets: ReadonlySet<Socket>;
  stop(): Promise<void>;
}

export async function listen(server: Server, protocol = 'http', host = '127.0.0.1'): Promise<TestServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `${protocol}://${protocol === 'https' ? 'localhost' : host}:${port}`,
    port,
    sockets,
    async stop() {
      if (!server.listening) return;
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A raw server: `onRequest` gets each chunk that a client sends. */
export function serveRaw(onRequest: (socket: Socket, text: string) => void): Promise<TestServer> {
  return listen(
    createTcpServer((socket) => socket.on('data', (data) => onRequest(socket, data.toString('latin1')))),
  );
}

export function serveHttp(listener: RequestListener): Promise<TestServer> {
  return listen(createServer(listener));
}

/** A port on which nothing listens (a moment ago, something did). */
export async function closedPort(): Promise<number> {
  const server = await serveRaw(() => {});
  await server.stop();
  return server.port;
}

/** Polls until a condition holds. @throws after a generous deadline, naming what was waited for */
export async function until(description: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited 30 s until ${description}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
