/**
 * An incremental HTTP/1.1 response parser for one connection without pipelining (RFC 9112). It finds the end of a response and its
 * status, and discards headers and bodies, because a load generator needs neither.
 *
 * It caches the result of the last head together with its bytes: most heads of a server are identical, and comparing bytes is many
 * times cheaper than finding the end, decoding and splitting.
 */
import { type Head, ProtocolError, parseHead } from './response-head.ts';

/** The response is larger than the limit. Not a {@link ProtocolError}, because the server does not violate the protocol. */
export class TooLargeError extends Error {
  override name = 'TooLargeError';
}

/** Limits on one response, in bytes. Without them a hostile or broken server could exhaust the memory. */
export interface ResponseLimits {
  readonly maxHeadBytes: number;
  readonly maxBodyBytes: number;
}

const DEFAULT_LIMITS: ResponseLimits = { maxHeadBytes: 64 * 1024, maxBodyBytes: 256 * 1024 * 1024 };

type State =
  | 'head'
  | 'length'
  | 'chunk-size'
  | 'chunk-data'
  | 'chunk-end'
  | 'trailer'
  | 'until-close'
  | 'done';

const LF = 10;
const CR = 13;
const MAX_CHUNK_LINE_BYTES = 4096;

export class ResponseParser {
  status = 0;
  keepAlive = false;
  keepAliveSeconds: number | undefined;
  #state: State = 'done';
  #isHead = false;
  /** The start of an incomplete head or line; after a response, a CR whose LF has not arrived yet. */
  #pending = '';
  /** Bytes of the head's current line so far, without CR; -1 until the status line starts. */
  #lineBytes = -1;
  #left = 0;
  #bodyBytes = 0;
  /** The head of the last response, including its final empty line, and the parsed result. */
  #lastBytes: Buffer = Buffer.alloc(0);
  #lastHead: Head | undefined;
  readonly #limits: ResponseLimits;

  constructor(limits: ResponseLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** Prepares for the response to a request; with `isHead` the response has no body, whatever its headers declare. */
  begin(isHead: boolean): void {
    this.#state = 'head';
    this.#isHead = isHead;
    this.#lineBytes = -1;
    this.#bodyBytes = 0;
    this.status = 0;
  }

  /**
   * Consumes the next bytes, including bytes after a response. The caller may reuse the buffer afterwards.
   * @returns whether the response is complete
   * @throws ProtocolError, TooLargeError
   */
  push(chunk: Buffer): boolean {
    let at = 0;
    while (at < chunk.length) at = this.#state === 'done' ? this.#afterEnd(chunk, at) : this.#step(chunk, at);
    return this.#state === 'done';
  }

  /** The server closed the connection. @returns whether that was a valid end of the response */
  end(): boolean {
    if (this.#state !== 'until-close') return false;
    this.#state = 'done';
    return true;
  }

  #step(chunk: Buffer, at: number): number {
    switch (this.#state) {
      case 'head':
        return this.#head(chunk, at);
      case 'length':
      case 'chunk-data':
        return this.#skip(chunk, at);
      case 'until-close':
        this.#countBody(chunk.length - at);
        return chunk.length;
      default:
        return this.#chunkLine(chunk, at);
    }
  }

  /** Line ends after a complete response are discarded; after any other bytes the connection cannot be trusted (RFC 9112, 9.2). */
  #afterEnd(chunk: Buffer, at: number): number {
    const rest = this.#pending + chunk.toString('latin1', at);
    if (!/^(?:\r?\n)*\r?$/.test(rest)) this.keepAlive = false;
    this.#pending = rest.endsWith('\r') ? '\r' : '';
    return chunk.length;
  }

  #head(chunk: Buffer, at: number): number {
    if (this.#pending === '' && this.#lastHead !== undefined && beginsWith(chunk, at, this.#lastBytes)) {
      this.#apply(this.#lastHead);
      return at + this.#lastBytes.length;
    }
    const end = this.#findHeadEnd(chunk, at);
    this.#pending += chunk.toString('latin1', at, end === -1 ? chunk.length : end);
    const head = withoutEmptyLines(this.#pending);
    // Reports garbage at its first bytes, because waiting for the end of the head would turn it into a timeout.
    if (head !== '\r' && !'HTTP/1.'.startsWith(head.slice(0, 7)))
      throw new ProtocolError('not an HTTP/1 response');
    const leastBytes = this.#pending.length + (end === -1 ? 1 : 0);
    if (leastBytes > this.#limits.maxHeadBytes)
      throw new TooLargeError(`head of more than ${this.#limits.maxHeadBytes} bytes`);
    if (end === -1) return chunk.length;
    this.#pending = '';
    this.#lineBytes = -1;
    this.#lastHead = parseHead(head.slice(0, head.endsWith('\r\n') ? -2 : -1));
    this.#lastBytes = Buffer.from(head, 'latin1');
    this.#apply(this.#lastHead);
    return end;
  }

  /** @returns the offset after the empty line that ends the head, or -1. Lines before the status line do not count. */
  #findHeadEnd(chunk: Buffer, at: number): number {
    // Local variables, because this loop dominates the time of parsing a head that differs from the last one.
    const { length } = chunk;
    let lineBytes = this.#lineBytes;
    for (let i = at; i < length; i++) {
      const byte = chunk[i];
      if (byte === LF) {
        if (lineBytes === 0) return i + 1;
        if (lineBytes > 0) lineBytes = 0;
      } else if (byte !== CR) {
        lineBytes = lineBytes < 0 ? 1 : lineBytes + 1;
      }
    }
    this.#lineBytes = lineBytes;
    return -1;
  }

  #apply(head: Head): void {
    if (head.status < 200) {
      if (head.status === 101) throw new ProtocolError('unexpected 101 Switching Protocols');
      return;
    }
    this.status = head.status;
    const framing = this.#isHead ? 'none' : head.framing;
    if (framing === 'invalid') throw new ProtocolError('body of unknown length');
    this.keepAlive = head.keepAlive && framing !== 'until-close';
    this.keepAliveSeconds = head.keepAliveSeconds;
    this.#left = framing === 'length' ? head.lengthBytes : 0;
    if (framing === 'length') this.#countBody(head.lengthBytes);
    // A 205 has no content (RFC 9110, 15.3.6), so the parser need not wait for a close.
    const isEmpty =
      framing === 'length' ? this.#left === 0 : head.status === 205 && framing === 'until-close';
    if (framing === 'none' || isEmpty) this.#state = 'done';
    else this.#state = framing === 'chunked' ? 'chunk-size' : framing;
  }

  #skip(chunk: Buffer, at: number): number {
    const taken = Math.min(this.#left, chunk.length - at);
    this.#left -= taken;
    if (this.#left === 0) this.#state = this.#state === 'length' ? 'done' : 'chunk-end';
    return at + taken;
  }

  /** The lines of the chunked framing: sizes, the empty line after each chunk, trailers. */
  #chunkLine(chunk: Buffer, at: number): number {
    const newline = chunk.indexOf(LF, at);
    const stop = newline === -1 ? chunk.length : newline + 1;
    const line = this.#pending + chunk.toString('latin1', at, stop);
    // Checks the start of the line, because waiting for its end could turn the error into a timeout.
    if (!mayBegin(this.#state, line.slice(0, MAX_CHUNK_LINE_BYTES)))
      throw new ProtocolError(`bad ${this.#state} line in a chunked body`);
    if (line.length > MAX_CHUNK_LINE_BYTES)
      throw new TooLargeError(`line of more than ${MAX_CHUNK_LINE_BYTES} bytes in a chunked body`);
    this.#pending = newline === -1 ? line : '';
    if (newline !== -1) this.#applyChunkLine(line);
    return stop;
  }

  #applyChunkLine(line: string): void {
    if (this.#state === 'chunk-end') {
      this.#state = 'chunk-size';
    } else if (this.#state === 'trailer') {
      this.#countBody(line.length);
      if (line === '\r\n' || line === '\n') this.#state = 'done';
    } else {
      this.#left = Number.parseInt(line, 16);
      this.#countBody(this.#left);
      this.#state = this.#left === 0 ? 'trailer' : 'chunk-data';
    }
  }

  #countBody(sizeBytes: number): void {
    this.#bodyBytes += sizeBytes;
    if (this.#bodyBytes > this.#limits.maxBodyBytes) {
      throw new TooLargeError(`body of more than ${this.#limits.maxBodyBytes} bytes`);
    }
  }
}

/** Whether a line of the chunked framing may start like this. Only trailers may end with a bare LF (RFC 9112, 2.2). */
function mayBegin(state: State, text: string): boolean {
  if (state === 'chunk-end') return '\r\n'.startsWith(text);
  if (state === 'trailer')
    return /^(?:[!#$%&'*+.^_`|~0-9a-z-]*|(?:[!#$%&'*+.^_`|~0-9a-z-]+:|[ \t])[^\0\r\n]*\r?\n?|\r?\n?)$/i.test(
      text,
    );
  return /^(?:[0-9a-f]+[ \t]*(?:;[^\0\r\n]*)?(?:\r\n?)?)?$/i.test(text);
}

/** Some servers send an extra empty line after a response, which then precedes the next one. */
function withoutEmptyLines(text: string): string {
  return text.startsWith('\r') || text.startsWith('\n') ? text.replace(/^(?:\r?\n)+/, '') : text;
}

/** Written in JavaScript, because for the few hundred bytes of a head, a call to native code costs more than the comparison. */
function beginsWith(chunk: Buffer, at: number, bytes: Buffer): boolean {
  const { length } = bytes;
  if (chunk.length - at < length) return false;
  for (let i = 0; i < length; i++) if (chunk[at + i] !== bytes[i]) return false;
  return true;
}
