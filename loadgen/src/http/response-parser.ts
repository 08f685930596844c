/**
 * An incremental HTTP/1.1 response parser for one connection without pipelining (RFC 9112). It finds where a response
 * ends and what its status is; it keeps neither headers nor bodies, because a load generator reads neither.
 *
 * What a head says is remembered with its bytes: a server's heads are mostly equal from one response to the next, and
 * comparing them is many times cheaper than to look for an end, make a text and split it.
 */
import { type Head, ProtocolError, parseHead } from './response-head.ts';

/** The response is larger than the limit. Set apart from {@link ProtocolError}: the server is right, only endless. */
export class TooLargeError extends Error {
  override name = 'TooLargeError';
}

/** Limits in bytes on one response. Without them a hostile or broken server fills the memory. */
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

const HEAD_END = '\r\n\r\n';
const MAX_CHUNK_LINE = 4096;

export class ResponseParser {
  status = 0;
  keepAlive = false;
  keepAliveSeconds: number | undefined;
  #state: State = 'done';
  #isHead = false;
  #pending = '';
  #left = 0;
  #bodyBytes = 0;
  /** The head of the last response, with the empty line that ends it, and what it says. */
  #lastBytes: Buffer = Buffer.alloc(0);
  #lastHead: Head | undefined;
  readonly #limits: ResponseLimits;

  constructor(limits: ResponseLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** Gets ready for the response to one request; `isHead` says that it has no body whatever its headers say. */
  begin(isHead: boolean): void {
    this.#state = 'head';
    this.#isHead = isHead;
    this.#pending = '';
    this.#bodyBytes = 0;
    this.status = 0;
  }

  /**
   * Takes the next bytes. The buffer may be reused by the caller afterwards.
   * @returns whether the response is complete
   * @throws ProtocolError, also for bytes after the end of the response; TooLargeError
   */
  push(chunk: Buffer): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === 'done') throw new ProtocolError('bytes after the end of the response');
      at = this.#step(chunk, at);
    }
    return this.#state === 'done';
  }

  /** Says that the server closed. @returns whether that was the rightful end of a response */
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

  #head(chunk: Buffer, at: number): number {
    // The end may straddle two chunks, so a head that came in pieces is searched in the joined text.
    if (this.#pending === '') {
      if (this.#lastHead !== undefined && beginsWith(chunk, at, this.#lastBytes)) {
        this.#apply(this.#lastHead);
        return at + this.#lastBytes.length;
      }
      const end = chunk.indexOf(HEAD_END, at, 'latin1');
      if (end !== -1 && end - at <= this.#limits.maxHeadBytes) {
        this.#applyHead(chunk.toString('latin1', at, end));
        return end + HEAD_END.length;
      }
    }
    const before = this.#pending.length;
    this.#pending += chunk.toString('latin1', at, Math.min(chunk.length, at + this.#limits.maxHeadBytes + 4));
    // Garbage is told at its first bytes; waiting for a head's end that never comes would call it a timeout.
    if (!'HTTP/1.'.startsWith(this.#pending.slice(0, 7))) throw new ProtocolError('not an HTTP/1 response');
    const end = this.#pending.indexOf(HEAD_END, Math.max(0, before - 3));
    if (end > this.#limits.maxHeadBytes || (end === -1 && this.#pending.length > this.#limits.maxHeadBytes)) {
      throw new TooLargeError(`head of more than ${this.#limits.maxHeadBytes} bytes`);
    }
    if (end === -1) return chunk.length;
    const text = this.#pending.slice(0, end);
    this.#pending = '';
    this.#applyHead(text);
    return at + end + HEAD_END.length - before;
  }

  #applyHead(text: string): void {
    this.#lastHead = parseHead(text);
    this.#lastBytes = Buffer.from(text + HEAD_END, 'latin1');
    this.#apply(this.#lastHead);
  }

  #apply(head: Head): void {
    if (head.status < 200) {
      if (head.status === 101) throw new ProtocolError('101 Switching Protocols was not asked for');
      return;
    }
    this.status = head.status;
    this.keepAlive = head.keepAlive;
    this.keepAliveSeconds = head.keepAliveSeconds;
    const framing = this.#isHead ? 'none' : head.framing;
    this.#left = framing === 'length' ? head.lengthBytes : 0;
    if (framing === 'length') this.#countBody(head.lengthBytes);
    if (framing === 'none' || (framing === 'length' && this.#left === 0)) this.#state = 'done';
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
    const newline = chunk.indexOf(10, at);
    const stop = newline === -1 ? chunk.length : newline + 1;
    this.#pending += chunk.toString('latin1', at, stop);
    if (this.#pending.length > MAX_CHUNK_LINE) throw new ProtocolError('endless line in a chunked body');
    if (newline === -1) return stop;
    if (!this.#pending.endsWith('\r\n')) throw new ProtocolError('line without CRLF in a chunked body');
    const line = this.#pending.slice(0, -2);
    this.#pending = '';
    this.#applyChunkLine(line);
    return stop;
  }

  #applyChunkLine(line: string): void {
    if (this.#state === 'chunk-end') {
      if (line !== '') throw new ProtocolError('chunk longer than its size');
      this.#state = 'chunk-size';
    } else if (this.#state === 'trailer') {
      this.#countBody(line.length + 2);
      if (line === '') this.#state = 'done';
    } else {
      const size = /^([0-9a-f]{1,12})[ \t]*(?:;.*)?$/i.exec(line)?.[1];
      if (size === undefined) throw new ProtocolError('bad chunk size');
      this.#left = Number.parseInt(size, 16);
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

/** In JavaScript: for the few hundred bytes of a head, calls of native code cost more than the comparison. */
function beginsWith(chunk: Buffer, at: number, bytes: Buffer): boolean {
  const { length } = bytes;
  if (chunk.length - at < length) return false;
  for (let i = 0; i < length; i++) if (chunk[at + i] !== bytes[i]) return false;
  return true;
}
