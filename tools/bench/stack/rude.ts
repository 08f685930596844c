/** Clients that do not keep to HTTP, or leave in the middle of it: raw connections, from a seed. What comes back is not looked at. */
import { connect, type Socket } from 'node:net';
import { createRandom, pick } from '../../../test/support/random.ts';

type Random = () => number;

const NUMBERS = ['0', '-1', '7', '99999999999999999999', '0x10', '1e9', ' 5', '5 5'];
const PATHS = ['/products', '/cart', '/cars', '/cars/7', '/cars/../../etc/passwd', '/%00', '//', '/%zz', '*'];

const word = (random: Random, length: number) =>
  Array.from({ length }, () => String.fromCharCode(33 + Math.floor(random() * 94))).join('');

const head = (random: Random, ...lines: string[]) =>
  [
    `${pick(random, ['GET', 'POST', 'DELETE', 'PATCH'])} ${pick(random, PATHS)} HTTP/1.1`,
    'Host: soak',
    ...lines,
    '',
    '',
  ].join('\r\n');

/** What is written on a connection, one kind of mistake each. */
const MISTAKES: readonly ((random: Random) => string)[] = [
  (random) => `${word(random, 10)}\r\n\r\n`,
  (random) =>
    `GET /${word(random, 40)} HTTP/${pick(random, ['1.1', '0.9', '3.0', '1.1.1'])}\r\nHost: soak\r\n\r\n`,
  (random) => head(random, `${word(random, 8)}\0: ${word(random, 8)}`),
  (random) => head(random, `X-Long: ${'a'.repeat(20_000)}`),
  (random) => `${head(random, `Content-Length: ${pick(random, NUMBERS)}`)}body`,
  (random) =>
    `${head(random, 'Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\nGET / HTTP/1.1\r\n\r\n`,
  (random) => `${head(random, 'Transfer-Encoding: chunked')}${pick(random, NUMBERS)}\r\nabc\r\n0\r\n\r\n`,
  (random) => head(random, `Transfer-Encoding: ${word(random, 6)}`),
  (random) => head(random, `Expect: ${word(random, 6)}`, 'Connection: upgrade', 'Upgrade: websocket'),
  (random) => head(random).repeat(20),
];

/** Right requests whose client is not there for the answer, or for the rest of its own words. */
const ABORTED: readonly ((random: Random) => string)[] = [
  (random) => head(random),
  (random) => `${head(random, 'Content-Length: 1000')}half`,
  (random) => head(random).slice(0, 20),
];

/** How long a client stays at most, in milliseconds. */
const STAY_MS = 2_000;

export interface Rude {
  readonly sent: { malformed: number; aborted: number };
  stop(): void;
}

/** Opens `ratePerSecond` connections, one mistake each: half are malformed, half are left at some moment. */
export function startRude(port: number, ratePerSecond: number, seed: number): Rude {
  const random = createRandom(seed);
  const open = new Set<Socket>();
  const sent = { malformed: 0, aborted: 0 };
  const visit = () => {
    const isAborted = random() < 0.5;
    sent[isAborted ? 'aborted' : 'malformed']++;
    const bytes = pick(random, isAborted ? ABORTED : MISTAKES)(random);
    const stayMs = isAborted ? random() * 20 : STAY_MS;
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    open.add(socket);
    const leave = setTimeout(() => socket.destroy(), stayMs);
    socket
      .on('error', () => undefined)
      .on('close', () => {
        clearTimeout(leave);
        open.delete(socket);
      });
    socket.resume();
  };
  const timer = setInterval(visit, 1000 / ratePerSecond);
  return {
    sent,
    stop() {
      clearInterval(timer);
      for (const socket of open) socket.destroy();
    },
  };
}
