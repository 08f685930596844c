/**
 * The part of the client library that this package uses: `@prometheus-io/client`, or its predecessor `prom-client`. Both
 * are optional peers, and the choice is made when an application is instrumented. This file imports the types of neither,
 * because either may be missing.
 */
import { type Description, type Family, reasonOf, toText } from './exposition/family.ts';
import { loadPeer } from './load-peer.cjs';
import { within } from './within.ts';

/** The part of either library's registry that this package uses. */
export interface AnyRegistry {
  getMetricsAsArray(): readonly object[];
  getSingleMetric(name: string): object | undefined;
  registerMetric(metric: object): void;
  removeSingleMetric(name: string): void;
}

/** The part that registers a metric. */
export type MetricRegistry = Pick<AnyRegistry, 'registerMetric'>;

/** The part of a client library that this package uses. */
export interface Client {
  readonly Registry: new () => AnyRegistry;
  collectDefaultMetrics(options: { register: AnyRegistry; eventLoopMonitoringPrecision: number }): void;
}

/** In order of preference: the second is deprecated in favour of the first. */
const CLIENTS = ['@prometheus-io/client', 'prom-client'] as const;

let saidBoth = false;

/**
 * The library of `registry`; without one, the first that is installed.
 * @param warn is called once if both are installed and no registry selects one
 * @throws Error when neither is installed
 */
export function findClient(registry: AnyRegistry | undefined, warn: (message: string) => void): Client {
  const installed: Client[] = [];
  for (const name of CLIENTS) {
    const client = loadPeer(name) as Client | undefined;
    if (!client) continue;
    // Avoids loading the other library.
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

/** A metric, as registries store it. */
export interface Metric extends Description {
  /** How the library combines the values of several processes. */
  readonly aggregator: string;
  /** The bounds of a histogram. */
  readonly upperBounds?: readonly number[];
  get(): Promise<Family> | Family;
}

/** How long a scrape waits for collectors, in milliseconds: Prometheus' default. Later scrapes wait for the current one. */
const COLLECT_MS = 10_000;

/** By metric, the function that reads a family stored outside the library. */
const ownFamilies = new WeakMap<object, () => Family>();

export const metricsOf = (registry: AnyRegistry) => registry.getMetricsAsArray() as readonly Metric[];

/** The labels that `registry` adds to all its metrics. */
export const registryLabels = (registry: AnyRegistry): Readonly<Record<string, unknown>> =>
  (registry as { _defaultLabels?: Record<string, unknown> | null })._defaultLabels ?? {};

/**
 * The families of `metrics`, by default all of `registry`. Values are taken synchronously, before anything is awaited.
 * `getMetricsAsJSON` is not used: it creates samples of everything and adds the registry's labels to the metrics themselves.
 * @throws Error that names the metric whose collector failed or did not end in time
 */
export async function gather(
  registry: AnyRegistry,
  metrics: readonly Metric[] = metricsOf(registry),
): Promise<readonly Family[]> {
  const added = registryLabels(registry);
  const pending = new Set<string>();
  const families = metrics.map(async (metric) => {
    const { name } = metric;
    pending.add(name);
    try {
      return addLabels(await (ownFamilies.get(metric)?.() ?? metric.get()), added);
    } catch (error) {
      throw new Error(`${toText(name)}: ${reasonOf(error)}`);
    } finally {
      pending.delete(name);
    }
  });
  const late = () => {
    throw new Error(`${[...pending].join(', ')}: no values within ${COLLECT_MS} ms`);
  };
  // A worker with a collector that never ends must still end.
  return within(COLLECT_MS, Promise.all(families), late, false);
}

/** Adds labels that a sample does not have itself; encoded families lack them. */
export function addLabels(family: Family, added: object): Family {
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
 * Registers a family that is stored outside the library. Every scrape calls `read`. Any other reader of the registry calls
 * it too and gets plain data.
 * @throws when the name is taken
 */
export function registerFamily(registry: MetricRegistry, read: () => Family): void {
  const { name, help, type } = read();
  const metric = registerMetric(registry, { name, help, type }, () => read().values);
  ownFamilies.set(metric, read);
}

type Samples = Family['values'];

/** Copies the samples, so that a reader's changes reach no other reader. */
const copyOf = (samples: Samples): Samples =>
  samples.map((sample) => ({ ...sample, labels: { ...sample.labels } }));

/** Registers a metric whose value or samples `read` returns. @throws when the name is taken */
export function registerMetric(
  registry: MetricRegistry,
  { name, help, type }: Description,
  read: () => number | Samples | Promise<Samples>,
  aggregator = 'sum',
): object {
  const metric = {
    name,
    help,
    type,
    aggregator,
    // The name is read at each call, because the library's OpenMetrics rendering shortens it.
    get: async () => {
      const got = await read();
      const values = typeof got === 'number' ? [{ labels: {}, value: got }] : copyOf(got);
      return { name: metric.name, help, type, aggregator, values };
    },
    // The library must not reset these counts: Prometheus would interpret that as a restart.
    reset: () => undefined,
  };
  // Neither library uses anything else of a metric.
  registry.registerMetric(metric);
  return metric;
}
