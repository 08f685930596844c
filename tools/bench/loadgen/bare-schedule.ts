/**
 * What the machine itself adds: the same schedule kept by the same timers, once with nothing sent, and once, where a port
 * is given, with prepared bytes on 32 bare sockets, whose answers are not even looked at. Prints, as JSON, by how many
 * milliseconds its moments were missed. Arguments: rate per second, seconds, and the port or nothing.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const REQUEST = Buffer.from('GET /products HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
const [ratePerSecond = 0, seconds = 0, port] = process.argv.slice(2).map(Number);
const count = ratePerSecond * seconds;
const lateMs: number[] = [];
const idle: Socket[] = port === undefined ? [] : await connectAll(port, 32);
const startMs = performance.now();

function keep(): void {
  const nowMs = performance.now() - startMs;
  while (lateMs.length < count) {
    const dueMs = (lateMs.length * 1000) / ratePerSecond;
    if (dueMs > nowMs) {
      setTimeout(keep, dueMs - nowMs);
      return;
    }
    lateMs.push(nowMs - dueMs);
    idle.pop()?.write(REQUEST);
  }
  const sorted = lateMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * count)];
  process.stdout.write(JSON.stringify({ p50: at(0.5), p99: at(0.99), 'p99.9': at(0.999) }), () =>
    process.exit(),
  );
}

async function connectAll(to: number, connections: number): Promise<Socket[]> {
  const sockets = Array.from({ length: connections }, () =>
    connect({ port: to, host: '127.0.0.1', noDelay: true }),
  );
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  for (const socket of sockets) socket.on('data', () => idle.push(socket));
  return sockets;
}

keep();
