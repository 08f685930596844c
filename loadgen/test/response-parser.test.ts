import { describe, expect, it } from '@jest/globals';
import { ProtocolError } from '../src/http/response-head.ts';
import { ResponseParser, TooLargeError } from '../src/http/response-parser.ts';

const LIMITS = { maxHeadBytes: 200, maxBodyBytes: 1000 };

/** What becomes of the bytes of one response when they come in these pieces, and the server then closes. */
function outcomeOf(pieces: readonly Buffer[], isHead: boolean) {
  const parser = new ResponseParser(LIMITS);
  parser.begin(isHead);
  let isComplete = false;
  try {
    for (const piece of pieces) {
      // A copy that is wiped afterwards: the parser must not keep the buffer, which is reused for the next read.
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

/** The outcome in one piece, which has to be that of every split into two, and of single bytes. */
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

const head = (...lines: string[]) => `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
const chunked = (body: string) => `${head('Transfer-Encoding: chunked')}${body}`;
const OK = `${head('Content-Length: 2')}ok`;

describe('where a response ends', () => {
  it.each([
    ['at its length', OK, '200'],
    ['at the head with a length of 0', 'HTTP/1.1 201 Created\r\ncontent-length:0\r\n\r\n', '201'],
    ['at a length with zeros in front', `${head('Content-Length: 00000000000000000002')}ok`, '200'],
    ['at a length that is there twice', `${head('Content-Length: 2', 'Content-Length: 02')}ok`, '200'],
    ['at a length on a folded line', `${head('Content-Length:\r\n 2')}ok`, '200'],
    ['after the last chunk', chunked('3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n'), '200'],
    ['after a chunk size with zeros in front', chunked('0000000000000003\r\nabc\r\n000\r\n\r\n'), '200'],
    ['after a chunk extension with a quoted text', chunked('1 ; a="b;c"\r\nx\r\n0 ;z\r\n\r\n'), '200'],
    [
      'after the trailers',
      `${head('Transfer-Encoding: gzip, Chunked')}1\r\na\r\n0\r\nX: y\r\n z\r\n\r\n`,
      '200',
    ],
    ['after trailers with bare LF', chunked('0\r\nX: y\n\n'), '200'],
    [
      'at the chunks, not at the length',
      `${head('Content-Length: 9', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
      '200, last',
    ],
    [
      'at the length where the coding is identity',
      `${head('Transfer-Encoding: identity', 'Content-Length: 2')}ok`,
      '200, last',
    ],
    ['at the close without a framing', `${head()}some body`, '200 by close'],
    [
      'at the close where chunked is not the last coding',
      `${head('Transfer-Encoding: chunked, gzip')}x`,
      '200 by close',
    ],
    ['at the close where identity is all', `${head('Transfer-Encoding: identity')}x`, '200 by close'],
    ['at the head of a 204', 'HTTP/1.1 204 No Content\r\n\r\n', '204'],
    [
      'at the head of a 304, whatever its length',
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n',
      '304',
    ],
    [
      'at the head of a 204, whatever its framing',
      'HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n',
      '204',
    ],
    ['at the head of a 205 without a framing', 'HTTP/1.1 205 Reset Content\r\n\r\n', '205, last'],
    ['at the length of a 205 that has one', 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n', '205'],
    [
      'after the interim answers',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\n${OK}`,
      '200',
    ],
  ])('is %s', (_, text, outcome) => {
    expect(read(text)).toBe(outcome);
  });

  it.each([
    ['a length', head('Content-Length: 7'), '200'],
    ['chunks', head('Transfer-Encoding: chunked'), '200'],
    ['no framing', head(), '200'],
    ['two lengths', head('Content-Length: 1', 'Content-Length: 2'), '200'],
    ['a length over the limit', head('Content-Length: 1001'), '200'],
  ])('is at the head when HEAD was asked, with %s', (_, text, outcome) => {
    expect(read(text, true)).toBe(outcome);
  });

  it.each([
    ['in the head', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['before the empty line', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n'],
    ['in the body', `${head('Content-Length: 7')}prod`],
    ['in a chunk', chunked('ff\r\nabc')],
    ['before the last chunk', chunked('1\r\na\r\n')],
    ['in the trailers', chunked('0\r\nX: y\r\n')],
    ['after an interim answer', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ])('is not %s, nor is it made so by a close', (_, text) => {
    expect(read(text)).toBe('incomplete');
  });
});

describe('a head', () => {
  it.each([
    ['without a reason phrase', 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', '200'],
    ['that ends without a space', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', '200'],
    ['with bare LF', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', '200'],
    ['with both line ends', 'HTTP/1.1 200 OK\r\nContent-Length: 4\n\r\n\r\n\r\n', '200'],
    ['with empty lines before', `\r\n\n${OK}`, '200'],
    ['with a folded line', `${head('A: b\r\n\tc', 'Content-Length: 2')}ok`, '200'],
    ['of a later minor version', 'HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n', '200'],
    ['with a text that is not ASCII', `${head('X: \xff', 'Content-Length: 2')}ok`, '200'],
    ['of the most bytes', `HTTP/1.1 204 X\r\nX: ${'x'.repeat(LIMITS.maxHeadBytes - 23)}\r\n\r\n`, '204'],
  ])('%s is read', (_, text, outcome) => {
    expect(read(text)).toBe(outcome);
  });

  it.each([
    ['of another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['of HTTP/2', 'HTTP/2 200\r\n\r\n'],
    ['without a status', 'HTTP/1.1 OK\r\n\r\n'],
    ['with a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['with a bare CR', 'HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n'],
    ['with a NUL', 'HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n'],
    ['with a header without a name', 'HTTP/1.1 200 OK\r\n: x\r\n\r\n'],
    ['with a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
    ['with a space after the status line', 'HTTP/1.1 200 OK\r\n A: b\r\n\r\n'],
    ['with a length that is no number', head('Content-Length: -1')],
    ['with an empty length', head('Content-Length:')],
    ['with two lengths', head('Content-Length: 1', 'Content-Length: 2')],
    ['with a parameter of chunked', head('Transfer-Encoding: chunked;a=b')],
    ['of an upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ])('%s is refused', (_, text) => {
    expect(read(text)).toBe('protocol');
  });
});

describe('a chunked body', () => {
  it.each([
    ['a size that is none', 'xyz\r\n'],
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

describe('bytes after a response', () => {
  it.each([
    ['a line end', '\r\n', '200'],
    ['several line ends', '\r\n\n\r\n', '200'],
    ['half a line end', '\r', '200'],
    ['a CR alone', '\r\r\n', '200, last'],
    ['garbage', '#', '200, last'],
    ['garbage after a line end', '\r\n#', '200, last'],
    ['a second response', OK, '200, last'],
    ['the beginning of one', 'HTTP/1.1', '200, last'],
  ])(
    'leave it complete; its connection is not used again unless they are line ends: %s',
    (_, more, outcome) => {
      expect(read(`${OK}${more}`)).toBe(outcome);
      expect(read(`${chunked('0\r\n\r\n')}${more}`)).toBe(outcome);
    },
  );

  it('may be a line end that is cut in two by the next request', () => {
    const parser = new ResponseParser();
    parser.begin(false);
    expect([parser.push(Buffer.from(`${OK}\r`)), parser.keepAlive]).toEqual([true, true]);
    parser.begin(false);
    expect([parser.push(Buffer.from(`\n${OK}`)), parser.keepAlive]).toEqual([true, true]);
  });
});

describe('a response larger than its limits', () => {
  it.each([
    ['an endless head', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(300)}`],
    ['a head of a byte too many', `HTTP/1.1 204 X\r\nX: ${'x'.repeat(LIMITS.maxHeadBytes - 22)}\r\n\r\n`],
    ['endless empty lines before the head', '\r\n'.repeat(101)],
    ['a length over the limit', head('Content-Length: 1001')],
    ['a length of 30 digits', head(`Content-Length: ${'9'.repeat(30)}`)],
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
  it.each([
    ['Connection: close', head('Connection: Foo, Close', 'Content-Length: 0'), '200, last'],
    [
      'close and keep-alive',
      head('Connection: keep-alive', 'Connection: close', 'Content-Length: 0'),
      '200, last',
    ],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', '200, last'],
    ['HTTP/1.0 kept alive', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n', '200'],
    [
      'HTTP/1.0 with chunks',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      '200, last',
    ],
  ])('follows from %s', (_, text, outcome) => {
    expect(read(text)).toBe(outcome);
  });

  it.each([
    ['timeout=5, max=100', 5],
    ['max=100, Timeout = "7"', 7],
    ['xtimeout=3', undefined],
  ])('for how long, from Keep-Alive: %s', (value, seconds) => {
    const parser = new ResponseParser();
    parser.begin(false);
    parser.push(Buffer.from(head(`Keep-Alive: ${value}`, 'Content-Length: 0')));
    expect(parser.keepAliveSeconds).toBe(seconds);
  });
});

it('reads one response after the other, with different heads', () => {
  const parser = new ResponseParser();
  const statuses = ['200', '404', '404', '200', '500'].map((status) => {
    parser.begin(false);
    expect(parser.push(Buffer.from(`HTTP/1.1 ${status} X\r\nContent-Length: 1\r\n\r\na`))).toBe(true);
    return parser.status;
  });
  expect(statuses).toEqual([200, 404, 404, 200, 500]);
});
