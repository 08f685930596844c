/**
 * Marks on the dashboards: two gauges whose values are the moments at which a pattern's sending started and ended, written
 * to Prometheus' own remote-write receiver. No other service, no credentials, and marks live as long as the metrics do.
 * (Its OTLP receiver would take JSON, but distributions leave it out: Debian's Prometheus has none.)
 */
import { reasonOf } from '../common/errors.ts';
import type { Prometheus } from '../proof/prometheus.ts';

/** Pushes a mark. A Prometheus that takes none is no reason for a run to fail: it is said, and that is all. */
export async function pushMark(
  prometheus: Prometheus,
  moment: 'start' | 'end',
  pattern: string,
  warn: (text: string) => void,
): Promise<void> {
  const atMs = Date.now();
  const labels = { __name__: `loadgen_run_${moment}_time_seconds`, job: 'loadgen', pattern };
  try {
    await prometheus.push(encodeWriteRequest(labels, atMs / 1000, atMs));
  } catch (error) {
    warn(`no mark on the dashboards: ${prometheus.url} did not take it: ${reasonOf(error)}`);
  }
}

/**
 * The body of a remote write (version 1.0) of one sample: a snappy-compressed protocol buffer.
 * Source: prometheus.io/docs/specs/prw/remote_write_spec; `WriteRequest` in prompb/remote.proto.
 */
export function encodeWriteRequest(
  labels: Readonly<Record<string, string>>,
  value: number,
  atMs: number,
): Buffer {
  const number = Buffer.alloc(8);
  number.writeDoubleLE(value);
  const sample = [field(1, 1, number), field(2, 0, varint(atMs))];
  // The receiver wants the labels in the order of their names.
  const pairs = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => message(1, [message(1, [Buffer.from(name)]), message(2, [Buffer.from(text)])]));
  return snappyLiteral(message(1, [...pairs, message(2, sample)]));
}

function field(number: number, wireType: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | wireType]), content]);
}

/** A field with a length: a text, or a message in a message. */
function message(number: number, parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return field(number, 2, Buffer.concat([varint(content.length), content]));
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

/** Snappy's block format with nothing compressed: a length, then one literal with a length of two bytes. */
function snappyLiteral(content: Buffer): Buffer {
  const head = Buffer.from([61 << 2, (content.length - 1) & 255, (content.length - 1) >> 8]);
  return Buffer.concat([varint(content.length), head, content]);
}
