/** Joins the parts: what an application's requests are counted with, and how they are exposed. */
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createExposition } from './exposition/handler.ts';
import { attach, checkApplication } from './express/attach.ts';
import { createLocator } from './express/locator.ts';
import { methodLabel } from './express/methods.ts';
import { createSightings, pathOf } from './express/route-map.ts';
import type { Handle } from './express/types.ts';
import { gather, type Registry } from './library.ts';
import { listen } from './listen.ts';
import { createProcessMetrics } from './metrics/process.ts';
import { registerRequestMetrics } from './metrics/requests.ts';
import { createScrapeMetrics } from './metrics/scrapes.ts';
import { type InstrumentOptions, resolveOptions, type Settings } from './options.ts';
import { createRequestCounts } from './recording/counts.ts';
import { createRecorder, type Recorder } from './recording/recorder.ts';
import { createLastScrape, type LastScrapeOptions } from './shutdown/last-scrape.ts';

/** The metrics of one application. */
export interface Metrics {
  /** Yours and ours; register your own metrics here. */
  readonly registry: Registry;
  /** Answers whatever path it is mounted on with the exposition. Where the application mounts it, it is not counted. */
  readonly handler: RequestListener;
  /** One more such handler, with a limit of scrapes of its own: what one port's clients use up, another's still have. */
  createHandler(options?: HandlerOptions): RequestListener;
  /**
   * A server of its own: `/` and `/metrics` answer the exposition, `/healthz` 200.
   * @param port 0 lets the system choose
   * @param host default: all interfaces
   * @returns the server, as `app.listen` does; `error` is emitted where the port is taken
   */
  listen(port: number, host?: string): Server;
  /**
   * For the end of a shutdown, when no request is in progress and none can come: sets the gauge `api_drained` to 1 and
   * waits for one whole scrape that begins after that, so that no count is lost with the process.
   * @returns whether it came within `timeoutMs`
   */
  lastScrape(options: LastScrapeOptions): Promise<boolean>;
}

export interface HandlerOptions {
  /**
   * Whether clients of the application reach it: then a scrape of it is no sign that Prometheus has come, and `lastScrape`
   * does not wait for one. Default: no.
   */
  readonly isPublic?: boolean;
}

/**
 * Counts the requests of an Express 4.18+ or 5 application, from now on: each exactly once, by route, method and status
 * code. Before or after its routes are made, and whatever is mounted in it; once for each application.
 * @throws TypeError when `app` is no Express application or an option is wrong; Error when the application is instrumented
 * already or the registry has a metric of the same name
 */
export function instrument(app: unknown, options: InstrumentOptions = {}): Metrics {
  checkApplication(app);
  const settings = resolveOptions(options);
  const { registry, prefix, maxScrapes } = settings;
  const uncounted = new WeakSet<Handle>();
  const counts = createRequestCounts({
    bounds: settings.bucketsSeconds,
    native: settings.native,
    maxRows: settings.maxPaths,
    onFull: () =>
      settings.warn(
        `more than ${settings.maxPaths} pairs of path and method: further ones are counted as unmatched. ` +
          'Routes are made anew for each request, or maxPaths is too low for this application.',
      ),
  });
  registerRequestMetrics(registry, counts, settings.names, settings.labels, settings.maxBuckets);
  if (settings.defaultMetrics !== false) {
    const wanted = settings.defaultMetrics === true ? {} : settings.defaultMetrics;
    createProcessMetrics(registry, wanted, prefix);
  }
  const lastScrape = createLastScrape(registry, settings.names.drained);
  const onScrape = createScrapeMetrics(registry, prefix);
  const sightings = createSightings();
  const locator = createLocator({
    app,
    counts,
    sightings,
    ongoing: (response) => recorder.ongoing(response),
    pathLabel: safely(settings),
    codes: settings.codes,
    isSkippedTemplate: (template) => Array.isArray(settings.skip) && settings.skip.includes(template),
    uncounted,
  });
  const recorder: Recorder = createRecorder({
    counts,
    locate: locator.locate,
    methodLabel: (method) => methodLabel(counts, method),
  });
  attach({ app, recorder, locator, sightings, isSkipped: skipOf(settings) });

  function createHandler({ isPublic = false }: HandlerOptions = {}): RequestListener {
    const gatherNow = () => {
      locator.refresh();
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
    registry,
    handler: createHandler(),
    createHandler,
    listen: (port, host) => listen(createHandler(), port, host),
    lastScrape: lastScrape.wait,
  };
}

function skipOf({ skip }: Settings): (request: IncomingMessage) => boolean {
  if (typeof skip === 'function') return skip;
  if (skip.length === 0) return () => false;
  const paths = new Set(skip);
  return ({ url }) => paths.has(pathOf(url));
}

/** A function of the user's that fails must not fail a request: the template stands in for its label. */
function safely({ pathLabel, warn }: Settings): (template: string) => string {
  const known = new Map<string, string>();
  return (template) => {
    let label = known.get(template);
    if (label === undefined) {
      try {
        label = String(pathLabel(template));
      } catch (error) {
        warn(`pathLabel failed for ${template}, which stands for itself: ${String(error)}`);
        label = template;
      }
      if (known.size < MAX_KNOWN_LABELS) known.set(template, label);
    }
    return label;
  };
}

/** More templates than this have no place among the rows anyway. */
const MAX_KNOWN_LABELS = 10_000;
