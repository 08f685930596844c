import { describe, expect, it } from '@jest/globals';
import { ProtocolError } from '../src/http/response-head.ts';
import { ResponseParser, TooLargeError } from '../src/http/response-parser.ts';

const LIMITS = { maxHeadBytes: 200, maxBodyBytes: 1000 };

/** The result of parsing a response that arrives in these pieces, after which the server closes. */
function outcomeOf(pieces: readonly Buffer[], isHead: boolean) {
  const parser = new ResponseParser(LIMITS);
  parser.begin(isHead);
  let isComplete = false;
  try {
    for (const piece of pieces) {
      // A copy that is overwritten afterwards, because the parser must not keep the buffer, which is reused for the next read.
      const copy = Buffer.from(piece);
      isComplete = parser.push(copy);
      copy.fill('#');
    }
  } catch (error) {
    if (error instanceof ProtocolError) return 'protocol';
    if (error instanceof TooLargeError) return 'too large';
    throw error;
  }
  if (!isComplete) return parser.end() ? `${parser.status} by close` : 'incomplete';
  return `${parser.status}${parser.keepAlive ? '' : ', last'}`;
}

/** The result for one piece, which must equal that of every split into two, and of single bytes. */
function read(text: string, isHead = false): string {
  const bytes = Buffer.from(text, 'latin1');
  const whole = outcomeOf([bytes], isHead);
  const cuts = Array.from({ length: bytes.length - 1 }, (_, n) => n + 1);
  const others = cuts.filter(
    (at) => outcomeOf([bytes.subarray(0, at), bytes.subarray(at)], isHead) !== whole,
  );
  expect(others).toEqual([]);
  const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
  expect(outcomeOf(single, isHead)).toBe(whole);
  return whole;
}

const headOf = (status: string, ...fields: string[]) => `${[status, ...fields].join('\r\n')}\r\n\r\n`;
const http = (status: string, ...fields: string[]) => headOf(`HTTP/1.1 ${status}`, ...fields);
const head = (...fields: string[]) => http('200 OK', ...fields);
const CHUNKED = 'Transfer-Encoding: chunked';
const chunked = (body: string) => `${head(CHUNKED)}${body}`;
const length = (bytes: number | string) => `Content-Length: ${bytes}`;
const OK = `${head(length(2))}ok`;

describe('the end of a response', () => {
  it.each([
    ['at its length', OK, '200'],
    ['at the head with a length of 0', http('201 Created', 'content-length:0'), '201'],
    ['at a length with leading zeros', `${head(length('00000000000000000002'))}ok`, '200'],
    ['at a length that occurs twice', `${head(length(2), length('02'))}ok`, '200'],
    ['at a length on a folded line', `${head('Content-Length:\r\n 2')}ok`, '200'],
    ['after the last chunk', chunked('3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n'), '200'],
    ['after a chunk size with leading zeros', chunked('0000000000000003\r\nabc\r\n000\r\n\r\n'), '200'],
    ['after a chunk extension with a quoted text', chunked('1 ; a="b;c"\r\nx\r\n0 ;z\r\n\r\n'), '200'],
    ['after the trailers', chunked('1\r\na\r\n0\r\nX: y\r\n z\r\n\r\n'), '200'],
    ['after several codings', `${head('Transfer-Encoding: gzip, Chunked')}0\r\n\r\n`, '200'],
    ['after trailers with bare LF', chunked('0\r\nX: y\n\n'), '200'],
    ['at the chunks, not at the length', `${head(length(9), CHUNKED)}0\r\n\r\n`, '200, last'],
    ['at the length without a coding', `${head('Transfer-Encoding: identity', length(2))}ok`, '200, last'],
    ['at the close without a framing', `${head()}some body`, '200 by close'],
    ['at the close if chunked is not the last coding', `${head(`${CHUNKED}, gzip`)}x`, '200 by close'],
    ['at the close if the coding is identity', `${head('Transfer-Encoding: identity')}x`, '200 by close'],
    ['at the head of a 204', http('204 No Content'), '204'],
    ['at the head of a 304, whatever its length', http('304 Not Modified', length(99)), '304'],
    ['at the head of a 204, whatever its framing', http('204 X', CHUNKED), '204'],
    ['at the head of a 205 without a framing', http('205 Reset Content'), '205, last'],
    ['at the length of a 205 that has one', http('205 Reset Content', length(0)), '205'],
    ['after interim responses', `${http('100 Continue')}${http('103 E', 'Link: x')}${OK}`, '200'],
  ])('is %s', (_, text, outcome) => {
    expect(read(text)).toBe(outcome);
  });

  it.each([
    ['a length', head(length(7))],
    ['chunks', head(CHUNKED)],
    ['no framing', head()],
    ['two lengths', head(length(1), length(2))],
    ['a length over the limit', head(length(1001))],
  ])('is the head after a HEAD request, with %s', (_, text) => {
    expect(read(text, true)).toBe('200');
  });

  it.each([
    ['in the head', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['before the empty line', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n'],
    ['in the body', `${head(length(7))}prod`],
    ['in a chunk', chunked('ff\r\nabc')],
    ['before the last chunk', chunked('1\r\na\r\n')],
    ['in the trailers', chunked('0\r\nX: y\r\n')],
    ['after an interim response', http('100 Continue')],
  ])('is not %s, even if the server closes', (_, text) => {
    expect(read(text)).toBe('incomplete');
  });
});

describe('a head', () => {
  it.each([
    ['without a reason phrase', http('200 ', length(0))],
    ['that ends without a space', http('200', length(0))],
    ['with bare LF', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
    ['with both line ends', 'HTTP/1.1 200 OK\r\nContent-Length: 4\n\r\n\r\n\r\n'],
    ['with empty lines before', `\r\n\n${OK}`],
    ['with a folded line', `${head('A: b\r\n\tc', length(2))}ok`],
    ['of a later minor version', headOf('HTTP/1.2 200 OK', length(0))],
    ['with a text that is not ASCII', `${head('X: \xff', length(2))}ok`],
    ['of the maximum size', http('200 X', length(0), `X: ${'x'.repeat(LIMITS.maxHeadBytes - 42)}`)],
  ])('%s is read', (_, text) => {
    expect(read(text)).toBe('200');
  });

  it.each([
    ['of another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['of HTTP/2', headOf('HTTP/2 200')],
    ['without a status', http('OK')],
    ['with a status of two digits', http('20 OK')],
    ['with a bare CR', head('A: b\rc')],
    ['with a NUL', head('A: b\0c')],
    ['with a header without a name', head(': x')],
    ['with a space before the colon', head('Content-Length : 0')],
    ['with a space after the status line', head(' A: b')],
    ['with a length that is not a number', head(length(-1))],
    ['with an empty length', head('Content-Length:')],
    ['with two lengths', head(length(1), length(2))],
    ['with a parameter of chunked', head(`${CHUNKED};a=b`)],
    ['of an upgrade', http('101 Switching Protocols')],
  ])('%s is refused', (_, text) => {
    expect(read(text)).toBe('protocol');
  });
});

describe('a chunked body', () => {
  it.each([
    ['an invalid size', 'xyz\r\n'],
    ['no size', '\r\n'],
    ['a sign before the size', '+1\r\n'],
    ['a size with 0x', '0x1\r\na\r\n'],
    ['a chunk longer than its size', '1\r\nab'],
    ['a size with a bare LF', '1\na\r\n'],
    ['a chunk that ends with a bare LF', '1\r\na\n0\r\n\r\n'],
    ['a bare CR in an extension', '1;a\rb\r\n'],
    ['a trailer without a colon', '0\r\nnonsense\r\n\r\n'],
    ['white space before the colon of a trailer', '0\r\nname : value\r\n\r\n'],
  ])('is refused with %s', (_, body) => {
    expect(read(chunked(body))).toBe('protocol');
  });
});

describe('bytes after a response leave it complete', () => {
  it.each([
    ['a line end', '\r\n', '200'],
    ['several line ends', '\r\n\n\r\n', '200'],
    ['half a line end', '\r', '200'],
    ['a CR alone', '\r\r\n', '200, last'],
    ['garbage', '#', '200, last'],
    ['garbage after a line end', '\r\n#', '200, last'],
    ['a second response', OK, '200, last'],
    ['the beginning of one', 'HTTP/1.1', '200, last'],
  ])('and prevent reuse of the connection unless they are line ends: %s', (_, more, outcome) => {
    expect(read(`${OK}${more}`)).toBe(outcome);
    expect(read(`${chunked('0\r\n\r\n')}${more}`)).toBe(outcome);
  });

  it('even if the next request splits a line end', () => {
    const parser = new ResponseParser();
    for (const text of [`${OK}\r`, `\n${OK}`]) {
      parser.begin(false);
      expect([parser.push(Buffer.from(text)), parser.keepAlive]).toEqual([true, true]);
    }
  });
});

describe('a response larger than its limits', () => {
  it.each([
    ['an endless head', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(300)}`],
    ['a head that is one byte too long', http('204 X', `X: ${'x'.repeat(LIMITS.maxHeadBytes - 22)}`)],
    ['endless empty lines before the head', '\r\n'.repeat(101)],
    ['a length over the limit', head(length(1001))],
    ['a length of 30 digits', head(length('9'.repeat(30)))],
    ['chunks over the limit', chunked('A\r\n0123456789\r\n'.repeat(101))],
    ['a chunk size of 16 digits', chunked('ffffffffffffffff\r\n')],
    ['an endless chunk extension', chunked(`1;${'x'.repeat(5000)}`)],
    ['an endless body', `${head()}${'x'.repeat(1001)}`],
    ['endless trailers', chunked(`0\r\n${'A: 0123456789\r\n'.repeat(100)}`)],
  ])('is refused with %s', (_, text) => {
    expect(read(text)).toBe('too large');
  });
});

describe('whether the connection is kept', () => {
  const KEEP = 'Connection: keep-alive';
  it.each([
    ['Connection: close', head('Connection: Foo, Close', length(0)), '200, last'],
    ['close and keep-alive', head(KEEP, 'Connection: close', length(0)), '200, last'],
    ['HTTP/1.0', headOf('HTTP/1.0 200 OK', length(0)), '200, last'],
    ['HTTP/1.0 kept alive', headOf('HTTP/1.0 200 OK', KEEP, length(0)), '200'],
    ['HTTP/1.0 with chunks', `${headOf('HTTP/1.0 200 OK', KEEP, CHUNKED)}0\r\n\r\n`, '200, last'],
  ])('follows from %s', (_, text, outcome) => {
    expect(read(text)).toBe(outcome);
  });

  it.each([
    ['timeout=5, max=100', 5],
    ['max=100, Timeout = "7"', 7],
    ['xtimeout=3', undefined],
  ])('and for how long follows from Keep-Alive: %s', (value, seconds) => {
    const parser = new ResponseParser();
    parser.begin(false);
    parser.push(Buffer.from(head(`Keep-Alive: ${value}`, length(0))));
    expect(parser.keepAliveSeconds).toBe(seconds);
  });
});

it('reads one response after the other, with different heads', () => {
  const parser = new ResponseParser();
  const statuses = [200, 404, 404, 200, 500].map((status) => {
    parser.begin(false);
    expect(parser.push(Buffer.from(`${http(`${status} X`, length(1))}a`))).toBe(true);
    return parser.status;
  });
  expect(statuses).toEqual([200, 404, 404, 200, 500]);
});
