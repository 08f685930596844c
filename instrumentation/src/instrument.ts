/** Assembles the parts that count an application's requests and those that expose the counts. */
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createExemplarSource } from './exemplar-source.ts';
import { createExposition } from './exposition/handler.ts';
import { createRequestFamilies } from './exposition/request-families.ts';
import { attach, checkApplication } from './express/attach.ts';
import { methodLabel } from './express/methods.ts';
import { pathOf } from './express/mount-path.ts';
import { RouteResolver } from './express/resolver.ts';
import { createObservedMounts } from './express/route-map.ts';
import type { Application, Handle } from './express/types.ts';
import type { Registry } from './installed-registry.ts';
import { joinAggregate } from './join-aggregate.ts';
import { type AnyRegistry, type Client, findClient, gather, metricsOf, registerFamily } from './library.ts';
import { type ListenOptions, listen } from './listen.ts';
import { createProcessMetrics } from './metrics/process.ts';
import { createScrapeMetrics } from './metrics/scrapes.ts';
import { type InstrumentOptions, resolveOptions, type Settings } from './options.ts';
import { createRequestCounts, type RequestCounts } from './recording/counts.ts';
import { createRecorder } from './recording/recorder.ts';
import { createLastScrape, type LastScrapeOptions } from './shutdown/last-scrape.ts';
import { guard, isBoolean } from './user-function.ts';

/** The metrics of one application. */
export interface Metrics<R extends AnyRegistry = Registry> {
  /** Your metrics and ours; register your own metrics here. */
  readonly registry: R;
  /** Answers with the exposition on any path where it is mounted. Scrapes through the application are not counted. */
  readonly handler: RequestListener;
  /** Another such handler with its own limit of scrapes: the clients of one port cannot use up the limit of another. */
  createHandler(options?: HandlerOptions): RequestListener;
  /**
   * Starts a server: `/` and `/metrics` answer with the exposition, `/healthz` with 200, and `/readyz` according to `isReady`.
   * @param port 0 lets the system choose
   * @param options an object, or just the host
   * @returns the server, like `app.listen`; it emits `error` if the port is in use
   */
  listen(port: number, options?: string | ListenOptions): Server;
  /**
   * For the end of a shutdown, when no request is in progress and none can arrive. Sets the gauge `http_server_drained` to 1 and
   * waits until each Prometheus that scrapes the process has completed a scrape that began after that, so that no count is lost.
   * In a worker whose primary aggregates, waits until all counts are handed over instead.
   * @returns whether each Prometheus came within `timeoutMs`
   */
  lastScrape(options: LastScrapeOptions): Promise<boolean>;
  /**
   * Reverts everything: the application is no longer counted, its metrics leave the registry, and the servers of `listen` accept
   * no more connections. Afterwards, the application may be instrumented again, and the registry used again.
   */
  close(): void;
}

export interface HandlerOptions {
  /**
   * Whether clients of the application can reach the handler. If so, its scrapes do not prove that Prometheus came, and
   * `lastScrape` does not wait for one. Default: false.
   */
  readonly isPublic?: boolean;
}

/**
 * Counts each request of an Express 4.18+ or 5 application exactly once from now on, by route, method and status code. Call it
 * once for each application, before or after you define its routes and mounts.
 * @throws TypeError when `app` is no Express application or an option is wrong; Error when the application is already
 * instrumented, the registry has a metric of the same name, or no client library is installed
 */
export function instrument<R extends AnyRegistry = Registry>(
  app: unknown,
  options: InstrumentOptions<R> = {},
): Metrics<R> {
  checkApplication(app);
  const settings = resolveOptions(options);
  const { maxScrapes } = settings;
  const client = findClient(options.registry, settings.warn);
  const registry: AnyRegistry = options.registry ?? new client.Registry();
  const counts = createCounts(settings);
  const { lastScrape, onScrape, unregister, own } = register({ ...settings, registry, client }, counts);
  let isClosed = false;
  const { recorder, resolver, uncounted, detach } = observe(app, settings, counts, () => isClosed);
  const aggregate = joinAggregate(
    { registry, counts, own, prefix: settings.prefix },
    resolver,
    settings.warn,
  );
  const servers: Server[] = [];

  function createHandler({ isPublic = false }: HandlerOptions = {}): RequestListener {
    const gatherNow = () => {
      resolver.refresh();
      return gather(registry);
    };
    const exposition = createExposition(gatherNow, { maxScrapes, onScrape });
    const handler: RequestListener = (request, response) => {
      recorder.forget(response);
      if (!isPublic) lastScrape.watch(request, response);
      exposition(request, response);
    };
    uncounted.add(handler as Handle);
    return handler;
  }

  return {
    registry: registry as R,
    handler: createHandler(),
    createHandler,
    listen(port, options = {}) {
      const server = listen(createHandler(), port, options, settings.warn);
      servers.push(server);
      return server;
    },
    lastScrape(lastScrapeOptions) {
      aggregate?.handOver(lastScrape.end);
      return lastScrape.wait(lastScrapeOptions);
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      aggregate?.leave();
      detach();
      resolver.release();
      unregister();
      for (const server of servers) server.close();
    },
  };
}

/** Counts the requests of `app` from now on. */
function observe(app: Application, settings: Settings, counts: RequestCounts, isClosed: () => boolean) {
  const { codes, skip } = settings;
  const uncounted = new WeakSet<Handle>();
  const observed = createObservedMounts();
  const recorder = createRecorder({
    counts,
    resolve: (request, ongoing, status) => resolver.resolve(request, ongoing, status),
    methodLabel: (method) => methodLabel(counts, method),
    exemplars: createExemplarSource(settings),
  });
  const resolver: RouteResolver = new RouteResolver({
    app,
    counts,
    observed,
    recorder,
    pathLabel: pathLabelOf(settings),
    codes,
    isSkippedTemplate: (template) => Array.isArray(skip) && skip.includes(template),
    uncounted,
  });
  const isSkipped = skipOf(settings);
  const detach = attach({
    app,
    recorder,
    resolver,
    observed,
    isSkipped: (request) => isClosed() || isSkipped(request),
  });
  return { recorder, resolver, uncounted, detach };
}

/** Outside of `instrument`, because what the registry holds must not hold the application. */
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
  { registry, client, prefix, defaultMetrics }: Settings & { registry: AnyRegistry; client: Client },
  counts: RequestCounts,
) {
  const before = new Set<object>(metricsOf(registry));
  let release = () => {};
  let added: (readonly [name: string, metric: object])[] = [];
  const unregister = () => {
    release();
    for (const [name, metric] of added)
      if (registry.getSingleMetric(name) === metric) registry.removeSingleMetric(name);
  };
  // The current names: the library's own rendering of OpenMetrics shortens them.
  const note = () => {
    added = metricsOf(registry).flatMap((metric) => (before.has(metric) ? [] : [[metric.name, metric]]));
  };
  try {
    for (const read of createRequestFamilies(counts, prefix)) registerFamily(registry, read);
    if (defaultMetrics) release = createProcessMetrics(registry, client, prefix);
    const lastScrape = createLastScrape(registry, prefix);
    const onScrape = createScrapeMetrics(registry, prefix);
    note();
    return { lastScrape, onScrape, unregister, own: new Set(added.map(([, metric]) => metric)) };
  } catch (error) {
    note();
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
