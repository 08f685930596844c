/**
 * The metrics endpoint, for any Node HTTP server or Express application. At the level of Go's promhttp: content
 * negotiation, gzip, `name[]` filters, 500 when a collector fails (a sample that is wrong is none), a limit on scrapes at once. Native histograms are sent to
 * a scrape that says `native=1`.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip as gzipInThread, gzipSync } from 'node:zlib';
import { outcome } from '../recording/outcome.ts';
import { type Family, reasonOf } from './family.ts';
import { acceptsGzip, CONTENT_TYPES, type Format, negotiateFormat } from './negotiate.ts';
import { renderProtobuf } from './protobuf.ts';
import { render } from './text.ts';

/** Up to this size it costs less to compress at once (under a millisecond) than to hand over to a thread and back. */
const SMALL_BYTES = 131_072;

/** How long a client is given to take its answer while others wait for its place, in milliseconds. */
const TAKING_MS = 1_000;

/** What takes longer is a turn of the event loop of its own; below, values and their rendering are of one turn. */
const GATHERED_SOON_MS = 1;

export interface ExpositionOptions {
  /**
   * Scrapes answered at once; a further one gets 503, or the place of a client that does not take its answer. Default 10:
   * Prometheus sends one per interval and server.
   */
  readonly maxScrapes?: number;
  /** Called with each GET or HEAD: its code (499 where the client did not wait for the end), and the seconds from its arrival. */
  readonly onScrape?: (code: number, seconds: number) => void;
}

/** One rendering, shared by all scrapes that wait for it. */
interface Rendering {
  readonly plain: Buffer;
  gzipped?: Promise<Buffer>;
}

/**
 * @param gather takes the values of all families: at one moment, and again for each call
 * @returns a handler that answers on any path where it is mounted
 */
export function createExposition(
  gather: () => Promise<readonly Family[]>,
  { maxScrapes = 10, onScrape }: ExpositionOptions = {},
): RequestListener {
  const renderShared = createSharedRendering(gather);
  let scrapes = 0;
  /** Answers that lie in this process until their clients take them, since when (oldest first). */
  const untaken = new Map<ServerResponse, number>();

  async function scrape(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const format = negotiateFormat(request.headers.accept);
    const query = new URLSearchParams(request.url?.split('?')[1] ?? '');
    const rendering = await renderShared(format, query.getAll('name[]'), query.get('native') === '1');
    let body = rendering.plain;
    const isGzip = acceptsGzip(request.headers['accept-encoding']);
    if (isGzip) {
      rendering.gzipped ??= gzip(rendering.plain);
      body = await rendering.gzipped;
    }
    // The application has answered in the meantime: its middleware for requests that take long.
    if (response.headersSent) return;
    response.setHeader('Content-Type', CONTENT_TYPES[format]);
    response.setHeader('Vary', 'Accept, Accept-Encoding');
    if (isGzip) response.setHeader('Content-Encoding', 'gzip');
    response.setHeader('Content-Length', body.length).end(body);
    untaken.set(response, performance.now());
  }

  /** Cuts the client that has not taken its answer for longest: ten that never do must not keep Prometheus out. */
  function makeRoom(): boolean {
    const [oldest] = untaken;
    if (!oldest || performance.now() - oldest[1] < TAKING_MS) return false;
    untaken.delete(oldest[0]);
    // As an error of the connection: it is not this process that has failed.
    const late = Object.assign(new Error('the client did not read the response in time'), {
      code: 'ETIMEDOUT',
    });
    oldest[0].req.socket.destroy(late);
    return true;
  }

  return (request, response) => {
    // Its client has gone while the application made up its mind: there is no `close` to come that would free a place.
    if (response.destroyed) return;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return fail(response.setHeader('Allow', 'GET, HEAD'), 405, 'method not allowed');
    }
    const startedMs = performance.now();
    // `close` and not the end of `scrape`: a client that reads slowly holds its buffer until then.
    response.once('close', () => {
      scrapes--;
      untaken.delete(response);
      onScrape?.(outcome(response), (performance.now() - startedMs) / 1000);
    });
    if (++scrapes > maxScrapes && !makeRoom())
      return fail(response, 503, `more than ${maxScrapes} scrapes at once`);
    scrape(request, response).catch((error: unknown) => {
      fail(response, 500, `a collector failed: ${reasonOf(error)}`);
    });
  };
}

/**
 * Renders one after the other. A scrape that arrives while a rendering runs waits for the next one, and shares it with
 * all others that want the same: joining the running one would hand out values from before the scrape arrived.
 */
function createSharedRendering(gather: () => Promise<readonly Family[]>) {
  const waiting = new Map<string, Promise<Rendering>>();
  let last: Promise<unknown> = Promise.resolve();

  async function renderNow(
    format: Format,
    names: readonly string[],
    withNative: boolean,
  ): Promise<Rendering> {
    const startedMs = performance.now();
    const families = await gather();
    // What was gathered does not change any more; the rest of the event loop need not wait for the first slice as well.
    if (performance.now() - startedMs > GATHERED_SOON_MS) await setImmediate();
    const wanted = names.length > 0 ? families.filter(({ name }) => names.includes(name)) : families;
    const isProtobuf = format === 'protobuf';
    return { plain: await (isProtobuf ? renderProtobuf(wanted, withNative) : render(wanted, format)) };
  }

  return (format: Format, names: readonly string[], withNative: boolean): Promise<Rendering> => {
    const key = JSON.stringify([format, [...names].sort(), withNative]);
    let rendering = waiting.get(key);
    if (!rendering) {
      rendering = last.then(() => {
        waiting.delete(key);
        return renderNow(format, names, withNative);
      });
      waiting.set(key, rendering);
      // A failed rendering is the business of its scrapes; the next one runs all the same.
      last = rendering.catch(() => undefined);
    }
    return rendering;
  };
}

/** Level 1: a fifth of the time of the default, and this text is still a fifteenth of its size. */
async function gzip(plain: Buffer): Promise<Buffer> {
  const options = { level: 1 };
  return plain.length <= SMALL_BYTES ? gzipSync(plain, options) : promisify(gzipInThread)(plain, options);
}

function fail(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) return;
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8').end(`${message}\n`);
}
