/**
 * The metrics endpoint, for any Node HTTP server or Express application, modelled on Go's promhttp: content negotiation, gzip,
 * `name[]` filters, 500 when a collector fails, and a limit on simultaneous scrapes. An invalid sample is no failure.
 * Native histograms are sent only to scrapes with `native=1`.
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

/** Up to this size, compressing synchronously (under a millisecond) costs less than passing the data to a thread and back. */
const SMALL_BYTES = 131_072;

/** How long a client may take to read its response while other scrapes wait for its slot, in milliseconds. */
const TAKING_MS = 1_000;

/** If gathering takes longer than this, in milliseconds, rendering starts in a new turn of the event loop. */
const GATHERED_SOON_MS = 1;

export interface ExpositionOptions {
  /**
   * The number of scrapes that are served at a time. A further scrape takes the slot of a client that does not read its
   * response, or gets 503. Default: 10, because each Prometheus server sends only one scrape per interval.
   */
  readonly maxScrapes?: number;
  /** Called for each GET or HEAD with its code (499 if the client disconnected early) and the seconds since its arrival. */
  readonly onScrape?: (code: number, seconds: number) => void;
}

/** One rendering, shared by all scrapes that wait for it. */
interface Rendering {
  readonly plain: Buffer;
  gzipped?: Promise<Buffer>;
}

/**
 * @param gather reads the current values of all families at one moment
 * @returns a handler that serves the exposition on any path where it is mounted
 */
export function createExposition(
  gather: () => Promise<readonly Family[]>,
  { maxScrapes = 10, onScrape }: ExpositionOptions = {},
): RequestListener {
  const renderShared = createSharedRendering(gather);
  let scrapes = 0;
  /** Responses that clients have not read yet, each with the time at which it was written, oldest first. */
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
    // The application has responded in the meantime, for example through a timeout middleware.
    if (response.headersSent) return;
    response.setHeader('Content-Type', CONTENT_TYPES[format]);
    response.setHeader('Vary', 'Accept, Accept-Encoding');
    if (isGzip) response.setHeader('Content-Encoding', 'gzip');
    response.setHeader('Content-Length', body.length).end(body);
    untaken.set(response, performance.now());
  }

  /** Disconnects the client whose response has been unread for longest: ten such clients must not lock Prometheus out. */
  function makeRoom(): boolean {
    const [oldest] = untaken;
    if (!oldest || performance.now() - oldest[1] < TAKING_MS) return false;
    untaken.delete(oldest[0]);
    // Reported as a connection error, because this process has not failed.
    const late = Object.assign(new Error('the client did not read the response in time'), {
      code: 'ETIMEDOUT',
    });
    oldest[0].req.socket.destroy(late);
    return true;
  }

  return (request, response) => {
    // The client disconnected before the handler ran, so no `close` event will free the slot.
    if (response.destroyed) return;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return fail(response.setHeader('Allow', 'GET, HEAD'), 405, 'method not allowed');
    }
    const startedMs = performance.now();
    // Waits for `close` rather than for `scrape`, because a slow client's buffer is held until then.
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
 * Runs one rendering at a time. A scrape that arrives during a rendering waits for the next one and shares it with all
 * other scrapes that request the same. Joining the current one would return values from before the scrape's arrival.
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
    // The gathered values no longer change, so the event loop can run before the first slice.
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
      // A failed rendering fails only the scrapes that wait for it; the next rendering still runs.
      last = rendering.catch(() => undefined);
    }
    return rendering;
  };
}

/** Level 1 takes a fifth of the default level's time and still compresses this text to a fifteenth of its size. */
async function gzip(plain: Buffer): Promise<Buffer> {
  const options = { level: 1 };
  return plain.length <= SMALL_BYTES ? gzipSync(plain, options) : promisify(gzipInThread)(plain, options);
}

function fail(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) return;
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8').end(`${message}\n`);
}
