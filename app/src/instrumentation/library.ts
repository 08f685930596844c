/**
 * The client library, as far as it is used: the only file that imports it, and the only one to change for another.
 * `prom-client` may be an npm alias of its successor, `@prometheus-io/client`; the tests run on both.
 */
import {
  Counter,
  type CounterConfiguration,
  Histogram,
  type HistogramConfiguration,
  type Registry,
} from 'prom-client';
import type { Family, Sample } from './render.ts';

export { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** What the exposition gathers: the values of all metrics of `registry`, taken when it is called. */
export function createGather(registry: Registry): () => Promise<Family[]> {
  return async () => {
    const families = await registry.getMetricsAsJSON();
    // The library's types call it an enumeration; it is a string.
    return families.map((family) => ({ ...family, type: String(family.type) }));
  };
}

/** A counter whose samples are read when it is scraped. They are taken before anything is awaited. */
export class DerivedCounter extends Counter<string> {
  readonly #read: () => Sample[];

  constructor(configuration: CounterConfiguration<string>, read: () => Sample[]) {
    super(configuration);
    this.#read = read;
  }

  override async get(): ReturnType<Counter<string>['get']> {
    return { ...describe(this), values: this.#read() };
  }
}

/** The same for a histogram. */
export class DerivedHistogram extends Histogram<string> {
  readonly #read: () => Sample[];

  constructor(configuration: HistogramConfiguration<string>, read: () => Sample[]) {
    super(configuration);
    this.#read = read;
  }

  override async get(): ReturnType<Histogram<string>['get']> {
    return { ...describe(this), values: this.#read() };
  }

  /** What the library's own text rendering calls instead of `get`; it is missing from the library's types. */
  getForPromString(): ReturnType<Histogram<string>['get']> {
    return this.get();
  }
}

type Description = ReturnType<Registry['getMetricsAsArray']>[number];

/** What a family's `get` returns beside its values. The library's types know it only of metrics in a registry. */
function describe(metric: object): Description {
  const { name, help, type, aggregator, collect } = metric as Description;
  return { name, help, type, aggregator, collect };
}
