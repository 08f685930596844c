/**
 * Requests that no client of good will sends, from a seeded generator: bytes for a connection of their own, in latin1. What a
 * right answer is depends on the kind; that none is a 5xx does not.
 */
import { pick } from '../../test/support/random.ts';

export interface Malformed {
  readonly kind: keyof typeof kinds;
  readonly bytes: string;
}

/** The path of a request that is hidden in the body of another: it must never be answered. */
export const SMUGGLED = '/cars/666';

/** What a forged line of the log would look like. */
export const FORGED = '{"level":30,"msg":"forged"}';

type Random = () => number;

export function malformedRequest(random: Random): Malformed {
  const kind = pick(random, Object.keys(kinds) as (keyof typeof kinds)[]);
  return { kind, bytes: kinds[kind](random) };
}

const number = (random: Random, below: number) => Math.floor(random() * below);

/** Any bytes at all. */
const junk = (random: Random, length: number) =>
  Array.from({ length }, () => String.fromCharCode(number(random, 256))).join('');

const path = (random: Random) =>
  pick(random, ['/products', '/cart', '/cars', '/cars/1', '/metrics', '/none', '/']);

const request = (line: string, headers: readonly string[], body = '') =>
  `${line}\r\n${['Host: x', ...headers].map((header) => `${header}\r\n`).join('')}\r\n${body}`;

const hidden = `GET ${SMUGGLED} HTTP/1.1\r\nHost: x\r\n\r\n`;

const kinds = {
  line: (random: Random) =>
    pick(random, [
      () => 'GET\r\n\r\n',
      () => `get ${path(random)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      () => `BREW ${path(random)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      () => `GET ${path(random)}\r\n\r\n`,
      () => `GET  ${path(random)}  HTTP/1.1\r\nHost: x\r\n\r\n`,
      () => `GET\t${path(random)}\tHTTP/1.1\r\nHost: x\r\n\r\n`,
      () => `GET ${path(random)} HTTP/${number(random, 10)}.${number(random, 10)}\r\nHost: x\r\n\r\n`,
      () => `GET ${path(random)} HTTP/1.1\nHost: x\n\n`,
      () => `GET ${path(random)} HTTP/1.1\rHost: x\r\r`,
      () => `\r\n\r\nGET ${path(random)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      () => `GET ${path(random)} HTTP/1.1 HTTP/1.1\r\nHost: x\r\n\r\n`,
      () => `CONNECT ${path(random)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    ])(),
  target: (random: Random) =>
    request(
      `GET ${pick(random, [
        () => `/${'../'.repeat(1 + number(random, 20))}etc/passwd`,
        () => `/cars/${'%2e%2e%2f'.repeat(1 + number(random, 20))}etc/passwd`,
        () => '/cars/..\\..\\windows',
        () => `/cars/1\0`,
        () => '/cars/1%00',
        () => '/cars/%E0%A4%A',
        () => '/cars/%zz',
        () => `/cars/1%0d%0aX-Injected:%20yes`,
        () => `/none%0a${encodeURIComponent(FORGED)}`,
        () => `/${junk(random, 1 + number(random, 30)).replace(/[\r\n ]/g, '')}`,
        () => `/${'a'.repeat(number(random, 40_000))}`,
        () => `/cart?${'a=1&'.repeat(number(random, 5_000))}`,
        () => `/cart?__proto__[x]=1&constructor[prototype][x]=1`,
        () => 'http://[::1',
        () => 'http://user:password@example.org:99999/cart',
        () => '//',
        () => '*',
        () => '?',
      ])()} HTTP/1.1`,
      [],
    ),
  header: (random: Random) =>
    pick(random, [
      () => `GET ${path(random)} HTTP/1.1\r\n\r\n`,
      () => request(`GET ${path(random)} HTTP/1.1`, ['Host: y']),
      () =>
        request(
          `GET ${path(random)} HTTP/1.1`,
          [
            () => ['no colon'],
            () => [': no name'],
            () => ['Name : space'],
            () => ['X: a', ' folded'],
            () => [`X: a\0b`],
            () => [`X: ${junk(random, 40)}`],
            () => [`${junk(random, 10)}: x`],
            () => [`X: ${'a'.repeat(number(random, 40_000))}`],
            () => Array.from({ length: number(random, 3_000) }, (_, n) => `X${n}: a`),
            () => ['__proto__: x', 'constructor: x', 'hasOwnProperty: x'],
            () => [
              `X-Request-Id: ${pick(random, [`a\n${FORGED}`, 'a'.repeat(5_000), '../../x', '%{jndi:x}'])}`,
            ],
            () => ['Expect: 200-maybe'],
            () => ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
            () => ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: x'],
            () => ['Range: bytes=0-18446744073709551615', 'If-None-Match: *', 'If-Match: "x"'],
            () => [`Cookie: ${'a=b; '.repeat(500)}`],
            () => [
              'X-HTTP-Method-Override: DELETE',
              'X-Forwarded-For: 127.0.0.1',
              'X-Original-URL: /metrics',
            ],
          ][number(random, 17)]?.() ?? [],
        ),
    ])(),
  length: (random: Random) =>
    request(
      `POST ${path(random)} HTTP/1.1`,
      pick(random, [
        ['Content-Length: -1'],
        ['Content-Length: +5'],
        ['Content-Length: 0x5'],
        ['Content-Length: 1e1'],
        ['Content-Length: 5 5'],
        ['Content-Length: 5, 6'],
        ['Content-Length: 5', 'Content-Length: 6'],
        ['Content-Length: 99999999999999999999999'],
        ['Content-Length: '],
        ['Content-Length: 100000'],
        ['Content-Length: 3'],
      ]),
      'hello',
    ),
  chunk: (random: Random) =>
    request(
      `POST ${path(random)} HTTP/1.1`,
      ['Transfer-Encoding: chunked'],
      pick(random, [
        'zz\r\nhello\r\n0\r\n\r\n',
        '-5\r\nhello\r\n0\r\n\r\n',
        'ffffffffffffffffff\r\nhello\r\n0\r\n\r\n',
        '5\r\nhello0\r\n\r\n',
        '5\r\nhell\r\n0\r\n\r\n',
        '5\nhello\n0\n\n',
        `5;${'x'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`,
        '0\r\nContent-Length: 5\r\nTrailer : x\r\n\r\n',
        `0\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
        '\r\n\r\n',
        '5\r\nhello',
      ]),
    ),
  encoding: (random: Random) =>
    request(
      `POST ${path(random)} HTTP/1.1`,
      [
        `Content-Encoding: ${pick(random, ['gzip', 'br', 'deflate', 'zstd', 'x'.repeat(1_000)])}`,
        `Content-Type: ${pick(random, ['application/json; charset=utf-99', 'multipart/form-data', '/', '\xff'])}`,
        `Accept-Encoding: ${pick(random, ['gzip;q=9', ';;;,,,', '*;q=-1', 'gzip, '.repeat(500)])}`,
        `Accept: ${pick(random, ['*', 'text/plain;version=9.9.9', 'application/openmetrics-text; q=x', ',,,'])}`,
        'Content-Length: 20',
      ],
      junk(random, 20),
    ),
  smuggling: (random: Random) =>
    request(
      `POST ${path(random)} HTTP/1.1`,
      pick(random, [
        [`Content-Length: ${5 + hidden.length}`, 'Transfer-Encoding: chunked'],
        ['Transfer-Encoding: chunked', 'Content-Length: 5'],
        ['Content-Length: 5', 'Transfer-Encoding : chunked'],
        ['Content-Length: 5', 'Transfer-Encoding:\x0bchunked'],
        ['Content-Length: 5', 'Transfer-Encoding: xchunked'],
        ['Content-Length: 5', ' Transfer-Encoding: chunked'],
        ['Content-Length: 5', 'X: y\nTransfer-Encoding: chunked'],
        ['Transfer-Encoding: chunked, identity'],
        ['Transfer-Encoding: identity', 'Transfer-Encoding: chunked', 'Content-Length: 5'],
        ['Content-Length: 5', `Content-Length: ${5 + hidden.length}`],
      ]),
      `0\r\n\r\n${hidden}`,
    ),
  bytes: (random: Random) =>
    pick(random, [
      () => junk(random, 1 + number(random, 2_000)),
      () => '\0'.repeat(1 + number(random, 2_000)),
      () => `\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03${junk(random, 100)}`,
      () => 'HELP\r\n',
      () => '*1\r\n$4\r\nPING\r\n',
      () => '\r\n'.repeat(1 + number(random, 1_000)),
    ])(),
};
