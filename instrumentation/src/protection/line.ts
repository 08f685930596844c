/**
 * The requests of one connection. Node parses all that a read of up to 64 KiB brings, 2,000 requests and more, whether or not
 * the client takes the answers to those before. On a guarded connection they are let through one by one: each head is
 * handed to Node's parser when its turn has come; until then the bytes stay in the stream, which makes the kernel, and so
 * the client, wait.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Turns, Waiting } from './turns.ts';

/** Ends the head of a request; what follows it is a body or the next head. */
const HEAD_END = Buffer.from('\r\n\r\n');

/** What the connections of a server share. */
export interface Shared {
  readonly turns: Turns;
  readonly maxUnanswered: number;
  readonly maxUnansweredInAll: number;
  /** Requests that came before the one ahead of them was answered, and are not answered. */
  unansweredInAll: number;
  /** Told of a connection with more unanswered requests than it may have, and of each time that requests have to wait. */
  onRude(): void;
}

export interface Line {
  /** Told of each request that Node has parsed. */
  started(request: IncomingMessage, response: ServerResponse): void;
  /** Whether requests of this connection have no complete answer yet. */
  isBusy(): boolean;
  /** Lets its requests through one by one from now on. Until then Node reads the connection in its own, faster way. */
  guard(): void;
}

type ParsedSocket = Socket & {
  /** Node's own flag: its parser takes nothing until the client has taken more of the answers. */
  readonly _paused?: boolean;
};

export function createLine(socket: ParsedSocket, shared: Shared): Line {
  /** Node's own listener to the data of the connection, once it is guarded. */
  let parse: ((chunk: Buffer) => void) | undefined;
  /** In the order in which they will be answered. */
  const unanswered: ServerResponse[] = [];
  /** Of those, how many came before the one ahead of them was answered. */
  let pipelined = 0;
  let last: IncomingMessage | undefined;
  let isWaiting = false;
  let credit = 0;

  const waiting: Waiting = {
    go(count) {
      isWaiting = false;
      credit = count;
      if (!socket.destroyed) socket.resume();
    },
  };

  function prune(): void {
    while (unanswered[0]?.writableFinished) unanswered.shift();
  }

  function onData(chunk: Buffer): void {
    let from = 0;
    while (from < chunk.length && !socket.destroyed) {
      if (!mayGo()) {
        hold(from === 0 ? chunk : chunk.subarray(from));
        return;
      }
      const end = chunk.indexOf(HEAD_END, from);
      const to = end < 0 ? chunk.length : end + HEAD_END.length;
      parse?.call(socket, from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to));
      from = to;
    }
  }

  function mayGo(): boolean {
    // Node itself resumes.
    if (socket._paused) return false;
    // The rest of a request that is being handled: holding it would be to wait for oneself.
    if (last && !last.complete) return true;
    if (isWaiting) return false;
    prune();
    if (unanswered.length === 0) return true;
    if (credit > 0 && !isFull()) {
      credit--;
      return true;
    }
    isWaiting = true;
    shared.onRude();
    if (!isFull()) shared.turns.ask(waiting);
    else unanswered[0]?.once('close', () => shared.turns.ask(waiting));
    return false;
  }

  /** With many connections that pipeline, each may have one request at a time; it then waits for itself only. */
  function isFull(): boolean {
    return unanswered.length >= shared.maxUnanswered || shared.unansweredInAll >= shared.maxUnansweredInAll;
  }

  function hold(rest: Buffer): void {
    socket.pause();
    socket.unshift(rest);
  }

  socket.once('close', () => {
    shared.unansweredInAll -= pipelined;
    pipelined = 0;
  });

  return {
    started(request, response) {
      last = request;
      prune();
      if (unanswered.push(response) === 1) return;
      if (!parse && unanswered.length > shared.maxUnanswered) shared.onRude();
      pipelined++;
      shared.unansweredInAll++;
      response.once('close', () => {
        if (pipelined === 0) return;
        pipelined--;
        shared.unansweredInAll--;
      });
    },
    isBusy() {
      prune();
      return unanswered.length > 0;
    },
    guard() {
      const [listener, ...others] = socket.listeners('data');
      // Somebody else reads it, such as after an upgrade.
      if (parse || !listener || others.length > 0 || socket.destroyed) return;
      parse = listener as (chunk: Buffer) => void;
      socket.removeListener('data', parse).on('data', onData);
    },
  };
}
