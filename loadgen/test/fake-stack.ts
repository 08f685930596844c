/**
 * An API that counts as the contract says, and a Prometheus that has scraped it: enough of both to run the commands in
 * one process. The real ones are in integration/.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { formatSeries } from '../src/verify/series.ts';
import { seriesOf } from './series-text.ts';
import { serveHttp, type TestServer } from './servers.ts';

const ROUTES = new Set(['GET /products', 'POST /products', 'GET /cart', 'POST /cart']);

export class FakeApi {
  startTimeSeconds = 100;
  isDrained = false;
  readonly values = new Map([['inprogress_requests', 0]]);
  /** May take a request over instead of the API; returns whether it has. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;

  readonly handle: RequestListener = (request, response) => {
    if (this.intercept(request, response)) return;
    const isRoute = ROUTES.has(`${request.method} ${request.url}`);
    const code = isRoute ? (request.method === 'POST' ? '201' : '200') : '404';
    const method = request.method?.toLowerCase() ?? '';
    const path = isRoute ? (request.url?.slice(1) ?? '') : 'unmatched';
    if (isRoute) this.count(formatSeries({ metric: 'http_requests_total', labels: { path, method } }));
    else this.count(formatSeries({ metric: 'http_errors_total', labels: { code } }));
    this.count(
      formatSeries({ metric: 'http_request_duration_seconds_count', labels: { path, method, code } }),
    );
    response.statusCode = Number(code);
    response.end('ok');
  };

  count(series: string, by = 1): void {
    this.values.set(series, (this.values.get(series) ?? 0) + by);
  }

  restart(): void {
    this.startTimeSeconds += 1000;
    for (const series of this.values.keys()) this.values.set(series, 0);
  }
}

interface Scrape {
  atSeconds: number;
  startTimeSeconds: number;
  isDrained: boolean;
  values: [string, number][];
}

interface FakeSample {
  readonly metric: Record<string, string>;
  readonly value: [number, string];
}

/** Scrapes when it is asked, at the earliest every 20 ms, so that tests do not wait long for a fresh scrape. */
export class FakePrometheus {
  isTargetUp = true;
  /** What it answers to any quantile. */
  quantiles: FakeSample[] = [];
  /** Relabelling, and whatever else may become of samples. */
  keep: (sample: FakeSample) => boolean = () => true;
  reshape: (sample: FakeSample) => unknown = (sample) => sample;
  answerOf: (query: string, time: string | null) => unknown = (query, time) => this.#answer(query, time);
  readonly #scrapes: Scrape[] = [];
  readonly #api: FakeApi;

  constructor(api: FakeApi) {
    this.#api = api;
  }

  readonly handle: RequestListener = async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const asked = new URLSearchParams(body.toString());
    const data = this.answerOf(asked.get('query') ?? '', asked.get('time'));
    response.end(JSON.stringify({ status: 'success', data }));
  };

  #answer(query: string, time: string | null) {
    const nowSeconds = Date.now() / 1000;
    if (query === 'time()') return { resultType: 'scalar', result: [nowSeconds, String(nowSeconds)] };
    const { atSeconds, startTimeSeconds, isDrained, values } = this.#scrape(nowSeconds, time);
    if (query.endsWith('s]')) {
      const points = this.#scrapes.map((scrape) => [scrape.atSeconds, String(scrape.startTimeSeconds)]);
      return {
        resultType: 'matrix',
        result: [{ metric: { job: 'api', instance: 'api-1:8000' }, values: points }],
      };
    }
    const sample = (metric: Record<string, string>, value: number): FakeSample => ({
      metric: { ...metric, job: 'api', instance: 'api-1:8000' },
      value: [nowSeconds, String(value)],
    });
    if (query.startsWith('histogram_quantile')) return { resultType: 'vector', result: this.quantiles };
    const up = this.isTargetUp ? 1 : 0;
    if (query.startsWith('timestamp(')) return { resultType: 'vector', result: [sample({}, atSeconds)] };
    if (query.startsWith('up{')) return { resultType: 'vector', result: [sample({ __name__: 'up' }, up)] };
    const own = values.map(([series, value]) => sample(toLabels(series), value));
    const start = sample({ __name__: 'process_start_time_seconds' }, startTimeSeconds);
    const drained = sample({ __name__: 'http_server_drained' }, isDrained ? 1 : 0);
    const scrapedAt = sample({ loadgen_scraped_at: '1' }, atSeconds);
    const all = [sample({ __name__: 'up' }, up), start, scrapedAt, drained, ...own];
    return { resultType: 'vector', result: all.filter(this.keep).map(this.reshape) };
  }

  #scrape(nowSeconds: number, time: string | null): Scrape {
    const last = this.#scrapes.at(-1);
    const earlier = this.#scrapes.findLast(({ atSeconds }) => String(atSeconds) === time);
    if (earlier !== undefined) return earlier;
    if (last !== undefined && nowSeconds - last.atSeconds <= 0.02) return last;
    const { startTimeSeconds, isDrained, values } = this.#api;
    const scrape = { atSeconds: nowSeconds, startTimeSeconds, isDrained, values: [...values] };
    this.#scrapes.push(scrape);
    return scrape;
  }
}

function toLabels(text: string): Record<string, string> {
  const { metric, labels } = seriesOf(text);
  return { __name__: metric, ...labels };
}

export interface FakeStack {
  readonly api: FakeApi;
  readonly prometheus: FakePrometheus;
  readonly target: TestServer;
  readonly observer: TestServer;
  stop(): Promise<void>;
}

export async function startFakeStack(): Promise<FakeStack> {
  const api = new FakeApi();
  const prometheus = new FakePrometheus(api);
  const [target, observer] = await Promise.all([serveHttp(api.handle), serveHttp(prometheus.handle)]);
  const stop = async () => {
    await Promise.all([target.stop(), observer.stop()]);
  };
  return { api, prometheus, target, observer, stop };
}
