/** What can become of one request. The vocabulary that client, ledger, summary and report share. */

/** Why a request got no complete answer. The order is the order in which the summary names them. */
export const FAILURE_KINDS = [
  'refused',
  'unreachable',
  'tls',
  'reset',
  'timeout',
  'protocol',
  'too-large',
  'local',
] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

/** For users: what each kind means. */
export const FAILURE_MEANING: Readonly<Record<FailureKind, string>> = {
  refused: 'nothing listens there',
  unreachable: 'no route to the target',
  tls: 'the TLS handshake failed; --cacert trusts an authority, --insecure any certificate',
  reset: 'the connection was closed before the response was complete',
  timeout: 'no complete response in time',
  protocol: 'the response was not valid HTTP/1.1',
  'too-large': 'the response was larger than the limit',
  local: 'this machine ran out of sockets or ports',
};

/**
 * Receives every result of a run. Times are in milliseconds on one monotonic clock; plain arguments instead of an object,
 * because at 60,000 results a second the objects are what the garbage collector would be busy with.
 */
export interface Recorder {
  /** A complete answer. `traceId` is what the request was sent with, if it was. */
  recordAnswer(
    target: number,
    status: number,
    intendedMs: number,
    sentMs: number,
    endedMs: number,
    traceId?: string,
  ): void;
  /** No complete answer. `sentMs` is NaN when nothing of the request left: then the server cannot have counted it. */
  recordFailure(
    target: number,
    kind: FailureKind,
    intendedMs: number,
    sentMs: number,
    endedMs: number,
    traceId?: string,
  ): void;
  /** Due, and not sent for want of a free connection. */
  recordDrop(target: number, intendedMs: number): void;
}
