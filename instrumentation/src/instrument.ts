/** Assembles the parts that count an application's requests and those that expose the counts. */
import type { IncomingMessage, RequestListener } from 'node:http';
import { createEndpoint, type Endpoint, type HandlerOptions } from './endpoint.ts';
import { createExemplarSource } from './exemplar-source.ts';
import type { Family } from './exposition/family.ts';
import { createRequestFamilies } from './exposition/request-families.ts';
import { attach, checkApplication } from './express/attach.ts';
import { pathOf } from './express/mount-path.ts';
import { RouteResolver } from './express/resolver.ts';
import type { Application, Handle } from './express/types.ts';
import type { Registry } from './installed-registry.ts';
import { joinAggregate } from './join-aggregate.ts';
import { type AnyRegistry, type Client, findClient, gather, type Metric, registerFamily } from './library.ts';
import { createProcessMetrics } from './metrics/process.ts';
import { type InstrumentOptions, resolveOptions, type Settings } from './options.ts';
import { createRequestCounts, type RequestCounts } from './recording/counts.ts';
import { createRecorder } from './recording/recorder.ts';
import { guard, isBoolean } from './user-function.ts';

/** The metrics of one application. In a worker of an aggregating primary, `lastScrape` waits until all counts are handed over. */
export interface Metrics<R extends AnyRegistry = Registry> extends Endpoint {
  /** Your metrics and ours; register your own metrics here. */
  readonly registry: R;
  /** Serves the exposition on any path where it is mounted. Scrapes through the application are not counted. */
  readonly handler: RequestListener;
  /**
   * Reverts everything: requests are no longer counted, the metrics are removed from the registry, and the servers of
   * `listen` accept no more connections. Afterwards, the application may be instrumented again and the registry reused.
   */
  close(): void;
}

/**
 * Counts each request of an Express 4.18+ or 5 application exactly once from now on, by route, method and status code. Call
 * it once for each application, before or after you define its routes and mounts.
 * @throws TypeError when `app` is not an Express application or an option is invalid; Error when the application is already
 * instrumented, the registry has a metric of the same name, or no client library is installed
 */
export function instrument<R extends AnyRegistry = Registry>(
  app: unknown,
  options: InstrumentOptions<R> = {},
): Metrics<R> {
  checkApplication(app);
  const settings = resolveOptions(options);
  const client = findClient(options.registry, settings.warn);
  const registry: AnyRegistry = options.registry ?? new client.Registry();
  const counts = createCounts(settings);
  const { endpoint, unregister, own } = register(registry, client, settings, counts, () => {
    resolver.refresh();
    return gather(registry);
  });
  let isClosed = false;
  const { recorder, resolver, uncounted, detach } = observe(app, settings, counts, () => isClosed);
  const source = { registry, counts, own, prefix: settings.prefix };
  const aggregate = joinAggregate(source, resolver, settings.warn);

  function createHandler(handlerOptions?: HandlerOptions): RequestListener {
    const expose = endpoint.createHandler(handlerOptions);
    const handler: RequestListener = (request, response) => {
      recorder.forget(response);
      expose(request, response);
    };
    uncounted.add(handler as Handle);
    return handler;
  }

  return {
    registry: registry as R,
    handler: createHandler(),
    createHandler,
    listen: endpoint.listen,
    lastScrape(lastScrapeOptions) {
      aggregate?.handOver(endpoint.endLastScrape);
      return endpoint.lastScrape(lastScrapeOptions);
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      aggregate?.leave();
      detach();
      resolver.release();
      unregister();
      endpoint.close();
    },
  };
}

/** Counts the requests of `app` from now on. */
function observe(app: Application, settings: Settings, counts: RequestCounts, isClosed: () => boolean) {
  const { codes, skip } = settings;
  const uncounted = new WeakSet<Handle>();
  const recorder = createRecorder({
    counts,
    resolve: (request, ongoing, status) => resolver.resolve(request, ongoing, status),
    exemplars: createExemplarSource(settings),
  });
  const resolver: RouteResolver = new RouteResolver(app, counts, recorder, {
    pathLabel: pathLabelOf(settings),
    codes,
    isSkippedTemplate: (template) => Array.isArray(skip) && skip.includes(template),
    uncounted,
  });
  const isSkipped = skipOf(settings);
  const detach = attach(app, recorder, resolver, (request) => isClosed() || isSkipped(request));
  return { recorder, resolver, uncounted, detach };
}

/** Outside of `instrument`, because objects that the registry references must not reference the application. */
function createCounts({ bucketsSeconds, nativeHistograms, maxRoutes, warn }: Settings): RequestCounts {
  return createRequestCounts({
    bounds: bucketsSeconds,
    hasNative: nativeHistograms,
    maxRows: maxRoutes,
    onFull: () =>
      warn(
        `more than ${maxRoutes} pairs of path and method: requests to further routes are counted as unmatched. ` +
          'Either the application keeps adding routes, or maxRoutes is too low.',
      ),
  });
}

/** Registers all metrics, or none. @throws Error when a name is taken */
function register(
  registry: AnyRegistry,
  client: Client,
  settings: Settings,
  counts: RequestCounts,
  gatherNow: () => Promise<readonly Family[]>,
) {
  const { prefix, defaultMetrics } = settings;
  let release = () => {};
  // Keyed by their current names, because the client library's OpenMetrics rendering shortens them.
  const own = new Map<string, object>();
  const recorded = {
    registerMetric(metric: object) {
      registry.registerMetric(metric);
      own.set((metric as Metric).name, metric);
    },
  };
  const unregister = () => {
    release();
    for (const [name, metric] of own)
      if (registry.getSingleMetric(name) === metric) registry.removeSingleMetric(name);
  };
  try {
    for (const read of createRequestFamilies(counts, prefix)) registerFamily(recorded, read);
    if (defaultMetrics) release = createProcessMetrics(recorded, client, prefix);
    const endpoint = createEndpoint(recorded, settings, gatherNow);
    return { endpoint, unregister, own: new Set(own.values()) };
  } catch (error) {
    unregister();
    throw error;
  }
}

function skipOf({ skip, warn }: Settings): (request: IncomingMessage) => boolean {
  if (typeof skip === 'function') {
    const isSkipped = guard(skip, isBoolean, (got) =>
      warn(`skip: expected true or false, got ${got}; the request is counted`),
    );
    return (request) => isSkipped(request) === true;
  }
  if (skip.length === 0) return () => false;
  const paths = new Set(skip);
  return ({ url }) => paths.has(pathOf(url));
}

function pathLabelOf({ pathLabel, warn }: Settings): (template: string) => string {
  const labelOf = guard(
    pathLabel,
    (got): got is string => typeof got === 'string',
    (got, template) => warn(`pathLabel: expected a string for "${template}", got ${got}; using the template`),
  );
  return (template) => labelOf(template) ?? template;
}
