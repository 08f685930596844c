/** Reads the exposition of a registry or of families; protobuf with an independent decoder. */
import protobuf from 'protobufjs';
import type { Family } from '../src/exposition/family.ts';
import { renderProtobuf } from '../src/exposition/protobuf.ts';
import { render, type TextFormat } from '../src/exposition/text.ts';
import { type AnyRegistry, gather } from '../src/library.ts';

const schema = await protobuf.load(new URL('./metrics.proto', import.meta.url).pathname);
const MetricFamily = schema.lookupType('io.prometheus.client.MetricFamily');

export type Message = Record<string, unknown>;

type Source = readonly Family[] | object;

const familiesOf = async (source: Source) =>
  Array.isArray(source) ? (source as Family[]) : gather(source as AnyRegistry);

/** @param source families, or a registry of either client library */
export const textOf = async (source: Source, format: TextFormat = 'text') =>
  (await render(await familiesOf(source), format)).toString();

export const linesOf = async (source: Source) => (await textOf(source)).trimEnd().split('\n');

export const messagesOf = async (source: Source, withNative = false) =>
  decode(await renderProtobuf(await familiesOf(source), withNative));

/** Every family as a plain object with the fields of the message, without defaults added by the decoder. */
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
