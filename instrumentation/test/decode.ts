/** Reads the protobuf exposition with a decoder that is not ours. */
import protobuf from 'protobufjs';

const schema = await protobuf.load(new URL('./metrics.proto', import.meta.url).pathname);
const MetricFamily = schema.lookupType('io.prometheus.client.MetricFamily');

export type Message = Record<string, unknown>;

/** Every family, as plain objects with what is in the message and nothing that a decoder fills in. */
export function decode(body: Uint8Array): Message[] {
  const reader = protobuf.Reader.create(body);
  const families: Message[] = [];
  while (reader.pos < reader.len) {
    families.push(
      MetricFamily.toObject(MetricFamily.decodeDelimited(reader), { longs: Number, enums: String }),
    );
  }
  return families;
}
