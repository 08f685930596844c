/** Malformed and unusual requests from a seeded generator, in latin1, each for a new connection. No response may be a 5xx. */
import { METHODS } from 'node:http';
import { pick } from '../../test/support/random.ts';

type Random = () => number;

/** A forged log line. */
export const FORGED = '{"level":30,"msg":"forged"}';

const LONG = 'a'.repeat(20_000);

/** A request in the body of another, which must never get a response. */
const hidden = 'GET /cars/666 HTTP/1.1\r\nHost: x\r\n\r\n';

const request = (line: string, header = '', body = '') =>
  `${line} HTTP/1.1\r\nHost: x\r\n${header && `${header}\r\n`}\r\n${body}`;

/** Texts of each kind; `PATH` is replaced by one that may exist. */
const kinds = {
  line: [
    request('get PATH'),
    request('BREW PATH'),
    request('CONNECT PATH'),
    request('GET  PATH '),
    request('GET\tPATH'),
    request('GET PATH HTTP/1.1'),
    `\r\n\r\n${request('GET PATH')}`,
    'GET PATH\r\n\r\n',
    'GET PATH HTTP/3.7\r\nHost: x\r\n\r\n',
    'GET PATH HTTP/1.1\nHost: x\n\n',
    'GET PATH HTTP/1.1\rHost: x\r\r',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ],
  target: [
    `/cars/${'%2e%2e%2f'.repeat(20)}etc/passwd`,
    '/../..\\..\\windows',
    '/cars/1\0',
    '/cars/1%00',
    '/cars/%E0%A4%A',
    '/cars/1%0d%0aX-Injected:%20yes',
    `/none%0a${encodeURIComponent(FORGED)}`,
    `/${LONG}`,
    `/cart?${'a=1&'.repeat(3_000)}`,
    '/cart?__proto__[x]=1&constructor[prototype][x]=1',
    'http://[::1',
    'http://user:password@example.org:99999/cart',
    '//',
    '?',
    '/caf\xe9\x01\x7f',
  ].map((target) => request(`GET ${target}`)),
  header: [
    'Host: y',
    'no colon',
    ': no name',
    'Name : space',
    'X: a\r\n folded',
    'X: a\0b',
    '\xffX: \x01\xff',
    `X: ${LONG}`,
    'X: a\r\n'.repeat(3_000),
    '__proto__: x\r\nconstructor: x\r\nhasOwnProperty: x',
    `X-Request-Id: a\n${FORGED}`,
    `X-Request-Id: ${LONG.slice(0, 5_000)}`,
    'X-Request-Id: %{jndi:x}/../../x',
    'Expect: 200-maybe',
    'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__',
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x',
    'Range: bytes=0-18446744073709551615\r\nIf-None-Match: *\r\nIf-Match: "x"',
    `Cookie: ${'a=b; '.repeat(500)}`,
    'X-HTTP-Method-Override: DELETE\r\nX-Forwarded-For: 127.0.0.1\r\nX-Original-URL: /metrics',
  ].map((header) => request('GET PATH', header)),
  length: ['', '5 5', ...'-1 +5 0x5 1e1 5,6 99999999999999999999999 100000 3'.split(' ')].map((length) =>
    request('POST PATH', `Content-Length: ${length}`, 'hello'),
  ),
  chunk: [
    'zz\r\nhello\r\n0\r\n\r\n',
    '-5\r\nhello\r\n0\r\n\r\n',
    'ffffffffffffffffff\r\nhello\r\n0\r\n\r\n',
    '5\r\nhello0\r\n\r\n',
    '5\r\nhell\r\n0\r\n\r\n',
    '5\nhello\n0\n\n',
    `5;${LONG}\r\nhello\r\n0\r\n\r\n`,
    `0\r\nX: ${LONG}\r\n\r\n`,
    '0\r\nContent-Length: 5\r\nTrailer : x\r\n\r\n',
    '5\r\nhello',
  ].map((body) => request('POST PATH', 'Transfer-Encoding: chunked', body)),
  encoding: [
    'Content-Encoding: zstd',
    `Content-Encoding: ${LONG.slice(0, 1_000)}`,
    'Content-Type: application/json; charset=utf-99',
    'Content-Type: \xff',
    'Accept-Encoding: gzip;q=9, *;q=-1, ;;;,,,',
    'Accept: text/plain;version=9.9.9, application/openmetrics-text; q=x, ,,,',
  ].map((header) => request('POST PATH', `${header}\r\nContent-Length: 5`, '\xff\0\x01\x02\x03')),
  smuggling: [
    `Content-Length: ${5 + hidden.length}\r\nTransfer-Encoding: chunked`,
    'Transfer-Encoding: chunked\r\nContent-Length: 5',
    'Content-Length: 5\r\nTransfer-Encoding : chunked',
    'Content-Length: 5\r\nTransfer-Encoding:\x0bchunked',
    'Content-Length: 5\r\nTransfer-Encoding: xchunked',
    'Content-Length: 5\r\n Transfer-Encoding: chunked',
    'Content-Length: 5\r\nX: y\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\nContent-Length: 5',
    `Content-Length: 5\r\nContent-Length: ${5 + hidden.length}`,
  ].map((header) => request('POST PATH', header, `0\r\n\r\n${hidden}`)),
  bytes: ['\0'.repeat(2_000), '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', 'HELP\r\n', '*1\r\n$4\r\nPING\r\n'],
};

export type Kind = keyof typeof kinds;

/** Changes some bytes in half of the requests, except in those that smuggle, because that could turn one request into two. */
export function malformedRequest(random: Random): { kind: Kind; bytes: string } {
  const kind = pick(random, Object.keys(kinds) as Kind[]);
  const path = pick(random, ['/products', '/cart', '/cars', '/cars/1', '/metrics', '/none', '/']);
  const bytes = pick(random, kinds[kind]).replace('PATH', path);
  if (kind === 'smuggling' || random() < 0.5) return { kind, bytes };
  const from = Math.floor(random() * bytes.length);
  const to = from + Math.floor(random() * 4);
  return { kind, bytes: bytes.slice(0, from) + text(random, 0, 256, 3) + bytes.slice(to) };
}

/** Characters with codes from `first` on. */
const text = (random: Random, first: number, codes: number, length: number) =>
  Array.from({ length }, () => String.fromCharCode(first + Math.floor(random() * codes))).join('');

/** Without CONNECT, for which Node closes the connection. */
const methods = [...METHODS.filter((name) => name !== 'CONNECT'), 'GET', 'POST'];

/** An unusual request that HTTP allows. */
export function oddRequest(random: Random): string {
  const junk = text(random, 33, 94, 8).replace(/[#?"\\]/g, '%');
  const method = pick(random, methods);
  const path = pick(random, [
    `/${junk}`,
    `/products/${junk}`,
    `/cars/${Math.floor(random() * 1e6)}`,
    `/cars/${junk}`,
    '/%63ars/%31',
    `/PRODUCTS//..%2f${junk}`,
    `//${junk}`,
    `http://example.org/cart?${junk}`,
    `/cart?path=${junk}&method=${junk}`,
    '/constructor/__proto__',
    `/unmatched/${'a/'.repeat(40)}`,
    '*',
  ]);
  const name = pick(random, ['X-HTTP-Method-Override', 'Accept-Encoding', 'Expect', `X-${random()}`]);
  return request(`${method} ${path}`, `${name}: ${junk}`);
}
