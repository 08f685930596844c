import { describe, expect, it } from '@jest/globals';
import { ProtocolError } from '../src/http/response-head.ts';
import { ResponseParser, TooLargeError } from '../src/http/response-parser.ts';

const LIMITS = { maxHeadBytes: 200, maxBodyBytes: 1000 };

/** Feeds a response in pieces of a size; null feeds it whole. */
function feed(text: string, pieceBytes: number | null, isHead = false) {
  const parser = new ResponseParser(LIMITS);
  parser.begin(isHead);
  const bytes = Buffer.from(text, 'latin1');
  const step = pieceBytes ?? bytes.length;
  let complete = false;
  for (let at = 0; at < bytes.length; at += step) {
    // A copy that is wiped afterwards: the parser must not keep the buffer, which is reused for the next read.
    const piece = Buffer.from(bytes.subarray(at, at + step));
    complete = parser.push(piece);
    piece.fill('#');
  }
  return { parser, complete, status: parser.status, keepAlive: parser.keepAlive };
}

const SIZES = [null, 1, 2, 7] as const;

describe.each(SIZES)('a response in pieces of %s bytes', (size) => {
  it.each([
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nproduct', 200, true],
    ['a length of 0', 'HTTP/1.1 201 Created\r\ncontent-length:0\r\n\r\n', 201, true],
    ['no reason phrase', 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', 200, true],
    [
      'the same length twice',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok',
      200,
      true,
    ],
    ['no body by its status', 'HTTP/1.1 204 No Content\r\n\r\n', 204, true],
    ['304 with a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n', 304, true],
    [
      'chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n',
      200,
      true,
    ],
    [
      'trailers',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n',
      200,
      true,
    ],
    [
      'interim answers before',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na',
      200,
      true,
    ],
    [
      'Connection: close',
      'HTTP/1.1 200 OK\r\nConnection: Foo, Close\r\nContent-Length: 0\r\n\r\n',
      200,
      false,
    ],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', 200, false],
    [
      'HTTP/1.0 kept alive',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n',
      200,
      true,
    ],
    [
      'both framings',
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      200,
      false,
    ],
  ])('is complete with %s', (_, text, status, keepAlive) => {
    expect(feed(text, size)).toMatchObject({ complete: true, status, keepAlive });
  });

  it('has no body when HEAD was asked, whatever its headers say', () => {
    expect(feed('HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n', size, true)).toMatchObject({
      complete: true,
    });
  });

  it('without any framing ends when the server closes', () => {
    const { parser, complete } = feed('HTTP/1.1 200 OK\r\n\r\nsome body', size);
    expect(complete).toBe(false);
    expect(parser.end()).toBe(true);
    expect(parser.keepAlive).toBe(false);
  });

  it.each([
    ['in the head', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['in the body', 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nprod'],
    ['in a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc'],
    ['before the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n'],
  ])('that stops %s is not complete, nor made so by a close', (_, text) => {
    const { parser, complete } = feed(text, size);
    expect([complete, parser.end()]).toEqual([false, false]);
  });

  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
    ['no status', 'HTTP/1.1 OK\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a header without a name', 'HTTP/1.1 200 OK\r\n: x\r\n\r\n'],
    ['a folded header', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n'],
    ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['a chunk size that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
    ['a chunk longer than its size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n'],
    ['a chunk size without CRLF', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n'],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    [
      'a second answer',
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    ],
  ])('is refused with %s', (_, text) => {
    expect(() => feed(text, size)).toThrow(ProtocolError);
  });

  it.each([
    ['an endless head', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(300)}`],
    ['a head over the limit', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(300)}\r\n\r\n`],
    ['a length over the limit', 'HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n'],
    [
      'chunks over the limit',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'A\r\n0123456789\r\n'.repeat(101)}`,
    ],
    ['an endless body', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(1001)}`],
    [
      'endless trailers',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${'A: 0123456789\r\n'.repeat(100)}`,
    ],
  ])('is refused as too large with %s', (_, text) => {
    expect(() => feed(text, size)).toThrow(TooLargeError);
  });
});

it('reads one response after the other, with different heads', () => {
  const parser = new ResponseParser();
  const statuses = ['200', '404', '200', '500'].map((status) => {
    parser.begin(false);
    expect(parser.push(Buffer.from(`HTTP/1.1 ${status} X\r\nContent-Length: 1\r\n\r\na`))).toBe(true);
    return parser.status;
  });
  expect(statuses).toEqual([200, 404, 200, 500]);
});

it('passes on how long the server promises to keep an idle connection', () => {
  const parser = new ResponseParser();
  parser.begin(false);
  parser.push(Buffer.from('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=100\r\nContent-Length: 0\r\n\r\n'));
  expect(parser.keepAliveSeconds).toBe(5);
});
