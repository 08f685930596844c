/** Selects the format and encoding of the exposition from the request's headers. Pure. */

/** The formats and their exact content types. */
export const CONTENT_TYPES = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  protobuf: 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
} as const;

export type Format = keyof typeof CONTENT_TYPES;

interface Offer {
  readonly format: Format;
  /** The media ranges that select this format. */
  readonly types: readonly string[];
  /** Whether the parameters of a media range match this format. */
  readonly fits: (parameters: ReadonlyMap<string, string>) => boolean;
}

/** A range without a version accepts ours. */
const isVersion = (ours: string) => (parameters: ReadonlyMap<string, string>) =>
  (parameters.get('version') ?? ours) === ours;

const offers: readonly Offer[] = [
  {
    format: 'protobuf',
    types: ['application/vnd.google.protobuf'],
    // The type without parameters could mean any message. (Requests are compared in lower case.)
    fits: (parameters) =>
      parameters.get('proto') === 'io.prometheus.client.metricfamily' &&
      parameters.get('encoding') === 'delimited',
  },
  { format: 'openmetrics', types: ['application/openmetrics-text'], fits: isVersion('1.0.0') },
  { format: 'text', types: ['text/plain', 'text/*', '*/*'], fits: isVersion('0.0.4') },
];

/**
 * The format with the highest quality in `accept`; among equals, the first. Text if nothing matches, as in Prometheus' own
 * libraries: text serves a human reader or an old scraper better than a 406.
 */
export function negotiateFormat(accept = '*/*'): Format {
  let best: { format: Format; quality: number } = { format: 'text', quality: 0 };
  for (const { value, parameters, quality } of parseQualities(accept)) {
    const match = offers.find(({ types, fits }) => types.includes(value) && fits(parameters));
    if (match && quality > best.quality) best = { format: match.format, quality };
  }
  return best.format;
}

/** Whether `acceptEncoding` allows gzip. */
export function acceptsGzip(acceptEncoding = ''): boolean {
  const accepted = new Map([...parseQualities(acceptEncoding)].map(({ value, quality }) => [value, quality]));
  return (accepted.get('gzip') ?? accepted.get('*') ?? 0) > 0;
}

interface Quality {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** 0 (refused) to 1; an invalid number counts as refused. */
  readonly quality: number;
}

function* parseQualities(header: string): Generator<Quality> {
  for (const item of header.toLowerCase().split(',')) {
    const [value = '', ...rest] = item.split(';').map((part) => part.trim());
    const parameters = new Map(
      rest.map((parameter) => {
        const [name = '', text = ''] = parameter.split('=').map((part) => part.trim());
        return [name, text.replace(/^"(.*)"$/, '$1')];
      }),
    );
    const quality = Number(parameters.get('q') ?? 1);
    yield { value, parameters, quality: quality >= 0 && quality <= 1 ? quality : 0 };
  }
}
