/**
 * A fake API with the documented metrics, and a fake Prometheus that has scraped it, sufficient to run the commands in one process.
 * test/integration/ uses the real ones.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { afterEach, beforeEach } from '@jest/globals';
import { formatSeries } from '../src/verify/series.ts';
import { serveHttp, stopServers } from './servers.ts';
import { seriesOf } from './snapshots.ts';

const ROUTES = new Set(['GET /products', 'POST /products', 'GET /cart', 'POST /cart']);

export class FakeApi {
  startTimeSeconds = 100;
  handled = 0;
  readonly values = new Map([
    ['inprogress_requests', 0],
    ['http_errors_total{code="404"}', 0],
    ...[...ROUTES].flatMap((route): [string, number][] => {
      const [method = '', path] = route.toLowerCase().split(' /');
      const labels = `path="${path}",method="${method}"`;
      const code = method === 'post' ? 201 : 200;
      return [
        [`http_requests_total{${labels}}`, 0],
        [`http_request_duration_seconds_count{${labels},code="${code}"}`, 0],
      ];
    }),
  ]);
  /** May handle a request instead of the API; returns whether it did. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;

  readonly handle: RequestListener = (request, response) => {
    if (this.intercept(request, response)) return;
    this.handled++;
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

  /** Runs a function just before the n-th request from now is handled. */
  beforeRequest(nth: number, act: () => unknown): void {
    let requests = 0;
    this.intercept = () => {
      if (++requests === nth) act();
      return false;
    };
  }

  count(series: string, by = 1): void {
    this.values.set(series, (this.values.get(series) ?? 0) + by);
  }

  restart(): void {
    this.startTimeSeconds += 1000;
    for (const series of this.values.keys()) this.values.set(series, 0);
  }
}

interface Scrape {
  readonly atSeconds: number;
  readonly startTimeSeconds: number;
  readonly values: readonly [string, number][];
}

interface FakeSample {
  readonly metric: Record<string, string>;
  readonly value: [number, string];
}

const TARGET = { job: 'api', instance: 'api-1:8000' };

/** Scrapes on demand, at most every 20 ms, so that tests do not wait long for a fresh scrape. */
export class FakePrometheus {
  isTargetUp = true;
  /** The result for any quantile. */
  quantiles: FakeSample[] = [];
  /** Changes samples, for example by relabelling. */
  keep: (sample: FakeSample) => boolean = () => true;
  reshape: (sample: FakeSample) => unknown = (sample) => sample;
  answerOf: (query: string, time: string | null) => unknown = (query, time) => this.#answer(query, time);
  readonly #scrapes: Scrape[] = [];
  readonly #api: FakeApi;

  constructor(api: FakeApi) {
    this.#api = api;
  }

  readonly handle: RequestListener = (request, response) => {
    const asked = new URL(request.url ?? '', 'http://prometheus').searchParams;
    const data = this.answerOf(asked.get('query') ?? '', asked.get('time'));
    response.end(JSON.stringify({ status: 'success', data }));
  };

  #answer(query: string, time: string | null) {
    // Not `Date.now`, which tests of the start time replace.
    const nowSeconds = (performance.timeOrigin + performance.now()) / 1000;
    if (query === 'time()') return { resultType: 'scalar', result: [nowSeconds, String(nowSeconds)] };
    const { atSeconds, startTimeSeconds, values } = this.#scrape(nowSeconds, time);
    if (query.endsWith('s]')) {
      const points = this.#scrapes.map((scrape) => [scrape.atSeconds, String(scrape.startTimeSeconds)]);
      return { resultType: 'matrix', result: [{ metric: TARGET, values: points }] };
    }
    const vector = (...result: unknown[]) => ({ resultType: 'vector', result });
    const sample = (value: number, labels: Record<string, string>): FakeSample => ({
      metric: { ...labels, ...TARGET },
      value: [nowSeconds, String(value)],
    });
    if (query.startsWith('histogram_quantile')) return vector(...this.quantiles);
    const all = [
      sample(this.isTargetUp ? 1 : 0, { __name__: 'up' }),
      sample(startTimeSeconds, { __name__: 'process_start_time_seconds' }),
      sample(atSeconds, { loadgen_scraped_at: '1' }),
      sample(0, { __name__: 'http_server_drained' }),
      ...values.map(([series, value]) => sample(value, toLabels(series))),
    ];
    return vector(...all.filter(this.keep).map(this.reshape));
  }

  #scrape(nowSeconds: number, time: string | null): Scrape {
    const last = this.#scrapes.at(-1);
    const earlier = this.#scrapes.findLast(({ atSeconds }) => String(atSeconds) === time);
    if (earlier !== undefined) return earlier;
    if (last !== undefined && nowSeconds - last.atSeconds <= 0.02) return last;
    const { startTimeSeconds, values } = this.#api;
    const scrape = { atSeconds: nowSeconds, startTimeSeconds, values: [...values] };
    this.#scrapes.push(scrape);
    return scrape;
  }
}

function toLabels(series: string): Record<string, string> {
  const { metric, labels } = seriesOf(series);
  return { __name__: metric, ...labels };
}

export async function startFakeStack() {
  const api = new FakeApi();
  const prometheus = new FakePrometheus(api);
  const [target, observer] = await Promise.all([serveHttp(api.handle), serveHttp(prometheus.handle)]);
  const toTarget = ['--target', target.url];
  return { api, prometheus, target, observer, toTarget, verified: ['--prometheus', observer.url] };
}

export type FakeStack = Awaited<ReturnType<typeof startFakeStack>>;

/** A fake stack for each test of a file. */
export function useFakeStack(): FakeStack {
  const stack = {} as FakeStack;
  beforeEach(async () => void Object.assign(stack, await startFakeStack()));
  afterEach(stopServers);
  return stack;
}
