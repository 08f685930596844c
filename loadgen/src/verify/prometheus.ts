/**
 * A client for parts of Prometheus' HTTP API (prometheus.io/docs/prometheus/latest/querying/api): queries and targets. The lab, the
 * tests and the benchmarks use it too.
 */
import { z } from 'zod';
import { reasonOf, UnreachableError, UsageError } from '../common/errors.ts';
import { hideCredentials } from '../common/secrets.ts';
import { parseUrl } from '../common/url.ts';
import { sleep } from '../common/wait.ts';
import { type Access, exchange, explainRefusal, isTlsFailure, toBasic } from './exchange.ts';

export { UnreachableError };

const labelsSchema = z.record(z.string(), z.string());
const point = z.tuple([z.number(), z.string()]);
const number = z.string().transform(Number);
/** A native histogram; its buckets are not read. */
const histogram = z.object({ count: number, sum: number });

const answerSchema = z.discriminatedUnion('resultType', [
  z.object({ resultType: z.literal('scalar'), result: point }),
  z.object({ resultType: z.literal('string'), result: point }),
  z.object({
    resultType: z.literal('vector'),
    result: z.array(
      z.object({
        metric: labelsSchema,
        value: point.optional(),
        histogram: z.tuple([z.number(), histogram]).optional(),
      }),
    ),
  }),
  z.object({
    resultType: z.literal('matrix'),
    // Native histograms have no `values`.
    result: z.array(z.object({ metric: labelsSchema, values: z.array(point).default([]) })),
  }),
]);

const targetsSchema = z.object({
  activeTargets: z.array(
    z.object({
      labels: labelsSchema,
      health: z.string(),
      lastError: z.string(),
      scrapeUrl: z.string(),
      /** For example `15s` or `1m30s`. */
      scrapeInterval: z.string().default(''),
    }),
  ),
});

export type Labels = Readonly<Record<string, string>>;
export type QueryAnswer = z.output<typeof answerSchema>;
export type Target = z.output<typeof targetsSchema>['activeTargets'][number];

export interface Sample {
  readonly labels: Labels;
  /** NaN for a native histogram. */
  readonly value: number;
  readonly histogram?: { readonly count: number; readonly sum: number };
}

/** Several values of one series, ordered by time. */
export interface Samples {
  readonly labels: Labels;
  readonly points: readonly { readonly atSeconds: number; readonly value: number }[];
}

export interface PrometheusOptions extends Access {
  /** How long to retry if Prometheus does not respond. Default: no retries. */
  readonly retryMs?: number;
}

export interface QueryOptions {
  readonly signal?: AbortSignal;
  /** In seconds on Prometheus' clock. Default: the current time. */
  readonly atSeconds?: number;
}

/** Prometheus cannot parse or evaluate the query; `reason` is its message. */
export class RefusedQueryError extends UsageError {
  readonly reason: string;
  constructor(reason: string) {
    super(`Prometheus refuses the query: ${reason}`);
    this.reason = reason;
  }
}

const refusal = z.object({
  status: z.literal('error'),
  errorType: z.enum(['bad_data', 'execution']),
  error: z.string(),
});

const REQUEST_TIMEOUT_MS = 10_000;
const RETRY_MS = 250;

export class Prometheus {
  /** The URL without credentials. */
  readonly url: string;
  readonly #access: Access;
  readonly #retryMs: number;

  /**
   * @param url may contain basic credentials, which take precedence over a bearer token
   * @throws UsageError if `url` is not an http or https URL
   */
  constructor(url: string, { retryMs = 0, ...access }: PrometheusOptions = {}) {
    const bare = parseUrl('--prometheus', url, 'http://localhost:9090');
    this.#access = { ...access, basic: toBasic(bare) };
    bare.username = '';
    bare.password = '';
    this.url = bare.href.replace(/\/+$/, '');
    this.#retryMs = retryMs;
  }

  /** Prometheus' clock, in seconds since 1970. */
  async time(signal?: AbortSignal): Promise<number> {
    const answer = await this.ask('time()', { ...(signal && { signal }) });
    // VictoriaMetrics returns no scalars, and only whole seconds. The next second is certainly not in the past.
    const [only] = answer.resultType === 'vector' ? answer.result : [];
    if (only?.value !== undefined) return Number(only.value[1]) + 1;
    if (answer.resultType !== 'scalar') throw this.#unexpected('time()', 'scalar', answer);
    return Number(answer.result[1]);
  }

  /** An instant query whose result is a vector. @throws the errors of {@link ask} */
  async query(expression: string, options?: QueryOptions): Promise<Sample[]> {
    const answer = await this.ask(expression, options);
    if (answer.resultType !== 'vector') throw this.#unexpected(expression, 'vector', answer);
    return answer.result.map(({ metric, value, histogram }) => ({
      labels: metric,
      value: toNumber(value?.[1]),
      ...(histogram && { histogram: histogram[1] }),
    }));
  }

  /** An instant query with a range, for example `up[1m]`, whose result is a matrix. */
  async samples(expression: string, options?: QueryOptions): Promise<Samples[]> {
    const answer = await this.ask(expression, options);
    if (answer.resultType !== 'matrix') throw this.#unexpected(expression, 'matrix', answer);
    return answer.result.map(({ metric, values }) => ({
      labels: metric,
      points: values.map(([atSeconds, value]) => ({ atSeconds, value: toNumber(value) })),
    }));
  }

  async targets(signal?: AbortSignal): Promise<Target[]> {
    const { activeTargets } = await this.#call('targets', {}, targetsSchema, signal);
    return activeTargets;
  }

  /**
   * An instant query with any type of result.
   * @throws RefusedQueryError, or UnreachableError with the URL and the cause
   */
  ask(query: string, { signal, atSeconds }: QueryOptions = {}): Promise<QueryAnswer> {
    // Without `nocache`, VictoriaMetrics evaluates at a time 30 s ago. Prometheus ignores the parameter.
    const parameters = { query, nocache: '1', ...(atSeconds !== undefined && { time: `${atSeconds}` }) };
    return this.#call('query', parameters, answerSchema, signal);
  }

  #unexpected(expression: string, expected: string, { resultType }: QueryAnswer): UnreachableError {
    return new UnreachableError(
      `--prometheus: ${this.url}: expected a ${expected} as the result of ${expression}, got a ${resultType}`,
    );
  }

  /** @param schema the schema of the data of a successful response */
  async #call<T>(
    path: string,
    parameters: Record<string, string>,
    schema: z.ZodType<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const url = new URL(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const deadline = performance.now() + this.#retryMs;
    for (;;) {
      try {
        return await this.#callOnce(url, schema, signal);
      } catch (error) {
        signal?.throwIfAborted();
        // A server that responds but is not Prometheus will not become Prometheus.
        if (error instanceof UnreachableError || error instanceof UsageError) throw error;
        if (performance.now() >= deadline || isTlsFailure(error)) {
          const remedy = isTlsFailure(error) ? ' (see --prometheus-ca-file)' : '';
          throw new UnreachableError(`Prometheus at ${this.url} did not answer: ${reasonOf(error)}${remedy}`);
        }
        await sleep(RETRY_MS, signal);
      }
    }
  }

  async #callOnce<T>(url: URL, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T> {
    const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const limit = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    const { status, text, location, quote } = await exchange(url, this.#access, limit);
    const said = shorten(quote(text));
    // While Prometheus starts, it or a proxy in front of it responds with a 5xx; a rate limit responds with 429.
    if (status >= 500 || status === 429) throw new Error(`${status} ${said}`);
    if (status === 401 || status === 403)
      throw new UnreachableError(`Prometheus at ${this.url} ${explainRefusal(this.#access)} (${status})`);
    const json = parseJson(text);
    const envelope = z.object({ status: z.literal('success'), data: schema }).safeParse(json);
    if (status === 200 && envelope.success) return envelope.data.data;
    const refused = refusal.safeParse(json);
    if (refused.success) throw new RefusedQueryError(quote(refused.data.error));
    const redirect = location === '' ? '' : `, a redirect to ${hideCredentials(quote(location))},`;
    throw new UnreachableError(
      `--prometheus: the server at ${this.url} is not Prometheus, or blocks this query: ` +
        `${url.pathname} returned ${status}${redirect} ${said || '(no text)'}`,
    );
  }
}

/** Parses Prometheus' notation: `+Inf`, `NaN`, `3.3E+01`. @returns NaN if there is no value */
export function toNumber(text: string | undefined): number {
  if (text === undefined || text === '') return Number.NaN;
  return Number(text.replace(/Inf$/, 'Infinity'));
}

/** @returns undefined if the text is not JSON */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
}
