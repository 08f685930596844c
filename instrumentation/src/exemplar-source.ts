/** Where the labels of exemplars come from: the user's function, or the trace that a request belongs to, if that is sampled. */
import type { IncomingMessage } from 'node:http';
import { loadPeer } from './load-peer.cjs';
import type { Settings } from './options.ts';
import { type ExemplarSource, isLabelSet } from './recording/exemplars.ts';
import type { ExemplarLabels } from './recording/snapshot.ts';
import { guard } from './user-function.ts';

/** `@opentelemetry/api`, as far as it is used. */
interface OpenTelemetry {
  readonly context: { active(): unknown };
  readonly trace: { getSpan(context: unknown): Span | undefined };
}

interface Span {
  spanContext(): { readonly traceId: string; readonly traceFlags: number };
}

const SAMPLED = 1;
const TRACE_ID = /^(?!0{32})[\da-f]{32}$/;
/** Flags with the lowest bit set mean sampled. https://www.w3.org/TR/trace-context/#traceparent-header */
const SAMPLED_TRACEPARENT =
  /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f][13579bdf]$/;

/** @returns undefined where exemplars are off */
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
          `exemplars: expected labels of at most 128 characters, or undefined, got ${got}; the request has no exemplar`,
        ),
    );
    return { started: () => undefined, labelsOf };
  }
  const api = loadPeer('@opentelemetry/api') as OpenTelemetry | undefined;
  return {
    started: () => api?.trace.getSpan(api.context.active()),
    labelsOf(request, span) {
      const id = span ? idOfSpan(span as Span) : idOfHeader(request);
      return id === undefined ? undefined : { trace_id: id };
    },
  };
}

function idOfSpan(span: Span): string | undefined {
  const { traceId, traceFlags } = span.spanContext();
  return traceFlags & SAMPLED && TRACE_ID.test(traceId) ? traceId : undefined;
}

/** Several such headers are joined to one that is none. */
function idOfHeader({ headers }: IncomingMessage): string | undefined {
  return SAMPLED_TRACEPARENT.exec(String(headers?.traceparent))?.[1];
}
