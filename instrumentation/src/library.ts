/**
 * The client library, as far as it is used: `@prometheus-io/client`, or `prom-client` before it. Both are optional peers; which
 * one is decided when an application is instrumented. Nothing here imports the types of either, because it may be missing.
 */
import { type Description, type Family, reasonOf, toText } from './exposition/family.ts';
import { loadPeer } from './load-peer.cjs';

/** A registry of either library, as far as this package uses it. */
export interface AnyRegistry {
  getMetricsAsArray(): readonly object[];
  getSingleMetric(name: string): object | undefined;
  registerMetric(metric: object): void;
  removeSingleMetric(name: string): void;
}

/** A client library, as far as this package uses it. */
export interface Client {
  readonly Registry: new () => AnyRegistry;
  collectDefaultMetrics(options: { register: AnyRegistry; eventLoopMonitoringPrecision: number }): void;
}

/** In order of preference: the second one is deprecated in favour of the first. */
const CLIENTS = ['@prometheus-io/client', 'prom-client'] as const;

let saidBoth = false;

/**
 * The library of `registry`; without one, the first that is installed.
 * @param warn is called once if both are installed and no registry says which one is meant
 * @throws Error when neither is installed
 */
export function findClient(registry: AnyRegistry | undefined, warn: (message: string) => void): Client {
  const installed: Client[] = [];
  for (const name of CLIENTS) {
    const client = loadPeer(name) as Client | undefined;
    if (!client) continue;
    // The other one need not be loaded.
    if (registry instanceof client.Registry) return client;
    installed.push(client);
  }
  const [first, second] = installed;
  if (!first)
    throw new Error(
      `instrument: expected a client library, got none installed: npm install ${CLIENTS[0]} (or ${CLIENTS[1]} 15)`,
    );
  if (!registry && second && first.Registry !== second.Registry && !saidBoth) {
    saidBoth = true;
    warn(
      `${CLIENTS.join(' and ')} are both installed, and neither sees the metrics of the other; ` +
        `${CLIENTS[0]} is used. Pass the option registry to choose, or uninstall one.`,
    );
  }
  return first;
}

/** A metric as registries keep it. */
export interface Metric extends Description {
  /** How the library's functions for clusters and workers put values of several processes together. */
  readonly aggregator: string;
  get(): Promise<Family> | Family;
}

/** How long a scrape waits for collectors, in milliseconds: Prometheus' own default. Later scrapes wait for this one. */
const COLLECT_MS = 10_000;

/** Of the metrics that are kept outside the library, what the handler reads. */
const ownFamilies = new WeakMap<object, () => Family>();

export const metricsOf = (registry: AnyRegistry) => registry.getMetricsAsArray() as readonly Metric[];

/** What `registry` adds to the labels of all its metrics. */
export const registryLabels = (registry: AnyRegistry): Readonly<Record<string, unknown>> =>
  (registry as { _defaultLabels?: Record<string, unknown> | null })._defaultLabels ?? {};

/**
 * The families of `metrics`, all of `registry` if not said otherwise. Their values are taken when this is called, before anything is awaited. Not by
 * `getMetricsAsJSON`, which makes samples of everything and adds the registry's labels to the metrics themselves.
 * @throws Error that names the metric whose collector failed, or did not end in time
 */
export async function gather(
  registry: AnyRegistry,
  metrics: readonly Metric[] = metricsOf(registry),
): Promise<readonly Family[]> {
  const added = registryLabels(registry);
  const pending = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const families = metrics.map(async (metric) => {
    const { name } = metric;
    pending.add(name);
    try {
      return await familyOf(metric, added);
    } catch (error) {
      throw new Error(`${toText(name)}: ${reasonOf(error)}`);
    } finally {
      pending.delete(name);
    }
  });
  const late = new Promise<never>((_, reject) => {
    const fail = () => reject(new Error(`${[...pending].join(', ')}: no values within ${COLLECT_MS} ms`));
    timer = setTimeout(fail, COLLECT_MS);
  });
  try {
    return await Promise.race([Promise.all(families), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function familyOf(metric: Metric, added: object): Promise<Family> {
  const family = await (ownFamilies.get(metric)?.() ?? metric.get());
  // What is encoded has no labels that the registry adds.
  if (family.encoded && Object.keys(added).length === 0) return family;
  const { name, help, type, values = [] } = family;
  return {
    name: toText(name),
    help: toText(help),
    type,
    values: values.map((sample) => ({ ...sample, labels: { ...sample.labels, ...added, ...sample.labels } })),
  };
}

/**
 * Registers a family that is kept outside the library: `read` is called by every scrape, and by any other reader of the
 * registry, which gets plain data. @throws when the name is taken
 */
export function registerFamily(registry: AnyRegistry, read: () => Family): void {
  const { name, help, type } = read();
  const metric = registerMetric(registry, { name, help, type }, () => read().values);
  ownFamilies.set(metric, read);
}

type Samples = Family['values'];

/** What a reader does to its samples reaches no other reader. */
const copyOf = (samples: Samples): Samples =>
  samples.map((sample) => ({ ...sample, labels: { ...sample.labels } }));

/** Registers a metric whose values come from `samples`. @throws when the name is taken */
export function registerMetric(
  registry: AnyRegistry,
  { name, help, type }: Description,
  samples: () => Samples | Promise<Samples>,
  aggregator = 'sum',
): object {
  const metric = {
    name,
    help,
    type,
    aggregator,
    // The name is read at each call: the library's own OpenMetrics shortens it.
    get: async () => ({ name: metric.name, help, type, aggregator, values: copyOf(await samples()) }),
    // What is counted is not the library's to reset: to Prometheus that would look like a restart.
    reset: () => undefined,
  };
  // Both libraries call nothing else of a metric.
  registry.registerMetric(metric);
  return metric;
}

/** Registers a counter or gauge that is one number, which `value` reads. @throws when the name is taken */
export function registerNumber(registry: AnyRegistry, description: Description, value: () => number): void {
  registerMetric(registry, description, () => [{ labels: {}, value: value() }]);
}
