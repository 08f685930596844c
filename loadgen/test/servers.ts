/** Servers for the tests, on free ports. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { certificate, privateKey } from '../../test/support/certificate.ts';

export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly sockets: ReadonlySet<Socket>;
  /** The number of accepted connections. */
  accepted(): number;
  stop(): Promise<void>;
}

const started: TestServer[] = [];

/** Closes every server of a test file with all its connections: for `afterEach` or `afterAll`. */
export async function stopServers(): Promise<void> {
  for (const server of started.splice(0)) await server.stop();
}

async function listen(server: Server, protocol = 'http', host = '127.0.0.1'): Promise<TestServer> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  server.on('connection', (socket: Socket) => {
    accepted++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `${protocol}://${protocol === 'https' ? 'localhost' : host}:${port}`;
  const stop = async () => {
    if (!server.listening) return;
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  const running = { url, port, sockets, accepted: () => accepted, stop };
  started.push(running);
  return running;
}

/** A raw server: `onRequest` gets each chunk from a client, with its number on the connection, from 1. */
export function serveRaw(
  onRequest: (socket: Socket, text: string, nth: number) => void,
  host?: string,
): Promise<TestServer> {
  const accept = (socket: Socket) => {
    let nth = 0;
    socket.on('data', (data) => onRequest(socket, data.toString('latin1'), ++nth));
  };
  return listen(createTcpServer(accept), 'http', host);
}

/** Longer than any test is idle, so that no connection closes just as a request is sent. */
const keepAliveTimeout = 600_000;

export function serveHttp(listener: RequestListener): Promise<TestServer> {
  return listen(createServer({ keepAliveTimeout }, listener));
}

/** With a certificate for localhost that nothing trusts by default. */
export function serveTls(listener: RequestListener, options = {}, host?: string): Promise<TestServer> {
  return listen(
    createTlsServer({ key: privateKey, cert: certificate, keepAliveTimeout, ...options }, listener),
    'https',
    host,
  );
}
