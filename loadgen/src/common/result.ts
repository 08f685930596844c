/** The possible outcomes of a request: the vocabulary of client, ledger, summary and report. */

/** Why a request got no complete response, in the order of the summary, explained for users. */
export const FAILURE_MEANING = {
  refused: 'nothing listens there',
  unreachable: 'no route to the target',
  tls: 'the TLS handshake failed; --cacert trusts an authority, --insecure any certificate',
  reset: 'the connection was closed before the response was complete',
  timeout: 'no complete response in time',
  protocol: 'the response was not valid HTTP/1.1',
  'too-large': 'the response was larger than the limit',
  local: 'this machine ran out of sockets or ports',
} as const;

export type FailureKind = keyof typeof FAILURE_MEANING;
export const FAILURE_KINDS = Object.keys(FAILURE_MEANING) as FailureKind[];

/** The failures that occurred, in the order of {@link FAILURE_MEANING}. */
export function listFailures(failures: Readonly<Partial<Record<FailureKind, number>>>) {
  return FAILURE_KINDS.flatMap((kind) => {
    const count = failures[kind];
    return count === undefined ? [] : [{ kind, count, meaning: FAILURE_MEANING[kind] }];
  });
}

/** `traceId` is the trace id with which the request was sent, if any. */
type Timing = [intendedMs: number, sentMs: number, endedMs: number, traceId?: string];

/**
 * Receives every result of a run. Times are in milliseconds on one monotonic clock. Arguments instead of objects, because at 60,000
 * results per second, objects would keep the garbage collector busy.
 */
export interface Recorder {
  /** A complete response. */
  recordAnswer(target: number, status: number, ...timing: Timing): void;
  /** No complete response. `sentMs` is NaN if no part of the request was sent, so that the server cannot have counted it. */
  recordFailure(target: number, kind: FailureKind, ...timing: Timing): void;
  /** The request was due, but was not sent because no connection was free. */
  recordDrop(target: number, intendedMs: number): void;
}
