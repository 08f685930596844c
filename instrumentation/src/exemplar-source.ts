/** Gets the labels of exemplars from the user's function, or from the trace of the request if it is sampled. */
import type { IncomingMessage } from 'node:http';
import { loadPeer } from './load-peer.cjs';
import type { Settings } from './options.ts';
import { type ExemplarSource, isLabelSet } from './recording/exemplars.ts';
import type { ExemplarLabels } from './recording/snapshot.ts';
import { guard } from './user-function.ts';

/** The part of `@opentelemetry/api` that this package uses. */
interface OpenTelemetry {
  readonly context: { active(): unknown; with<T>(context: unknown, call: () => T): T };
  readonly trace: {
    getSpan(context: unknown): Span | undefined;
    setSpanContext(context: unknown, span: ReturnType<Span['spanContext']>): unknown;
  };
}

interface Span {
  spanContext(): { readonly traceId: string; readonly spanId: string; readonly traceFlags: number };
}

const SAMPLED = 1;
const TRACE_ID = /^(?!0{32})[\da-f]{32}$/;
/** Flags with the lowest bit set mean sampled. https://www.w3.org/TR/trace-context/#traceparent-header */
const SAMPLED_TRACEPARENT =
  /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f][13579bdf]$/;

/** @returns undefined when exemplars are off */
export function createExemplarSource({
  exemplars,
  warn,
}: Settings): ExemplarSource<IncomingMessage> | undefined {
  if (exemplars === false) return undefined;
  if (exemplars !== true) {
    const labelsOf = guard(
      (request: IncomingMessage) => {
        const labels = exemplars(request);
        return isLabelSet(labels) ? { ...labels } : labels;
      },
      (got): got is ExemplarLabels | undefined => got === undefined || isLabelSet(got),
      (got) =>
        warn(
          `exemplars: expected labels of 1 to 128 characters, or undefined, got ${got}; the request has no exemplar`,
        ),
    );
    return { started: () => undefined, labelsOf };
  }
  const api = findOpenTelemetry();
  return {
    // The span is resolved only when it is needed, because resolving it takes as long as getting the context.
    started: api ? () => api.context.active() : () => undefined,
    labelsOf(request, context) {
      const span = api?.trace.getSpan(context);
      const id = span ? idOfSpan(span) : idOfHeader(request);
      return id === undefined ? undefined : { trace_id: id };
    },
  };
}

/** @returns undefined when no SDK tracks the context of requests, so that requests do not pay for useless look-ups */
function findOpenTelemetry(): OpenTelemetry | undefined {
  const api = loadPeer('@opentelemetry/api') as OpenTelemetry | undefined;
  if (!api) return undefined;
  const none = { traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: 0 };
  const probe = api.trace.setSpanContext(api.context.active(), none);
  return api.context.with(probe, () => api.context.active()) === probe ? api : undefined;
}

function idOfSpan(span: Span): string | undefined {
  const { traceId, traceFlags } = span.spanContext();
  return traceFlags & SAMPLED && TRACE_ID.test(traceId) ? traceId : undefined;
}

/** Node joins repeated headers into one value, which is invalid. */
function idOfHeader({ headers }: IncomingMessage): string | undefined {
  const traceparent = headers?.traceparent;
  return typeof traceparent === 'string' ? SAMPLED_TRACEPARENT.exec(traceparent)?.[1] : undefined;
}
