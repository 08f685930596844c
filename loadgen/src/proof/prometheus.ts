/** The little of Prometheus' HTTP API that is needed here: its clock and instant queries. */
import { z } from 'zod';
import { reasonOf, UnreachableError, UsageError } from '../common/errors.ts';
import { hideCredentials } from '../common/secrets.ts';
import { sleep } from '../common/wait.ts';
import { type Access, authorize, explainRefusal, isTlsFailure, toBasic } from './access.ts';
import { post } from './post.ts';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Several values of one series, in order. */
export interface Samples {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly { readonly atSeconds: number; readonly value: number }[];
}

const point = z.tuple([z.number(), z.string()]);
const number = z.string().transform(Number);
/** Native; its buckets are not read. */
const histogram = z.object({ count: number, sum: number });
const answers = z.discriminatedUnion('resultType', [
  z.object({ resultType: z.literal('scalar'), result: point }),
  z.object({ resultType: z.literal('string'), result: point }),
  z.object({
    resultType: z.literal('vector'),
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        value: point.optional(),
        histogram: z.tuple([z.number(), histogram]).optional(),
      }),
    ),
  }),
  z.object({
    resultType: z.literal('matrix'),
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()), // Of native histograms there are none.
        values: z.array(point).default([]),
      }),
    ),
  }),
]);
const envelope = z.object({ status: z.literal('success'), data: answers });
/** What Prometheus says of a query that it does not understand or cannot evaluate. */
const refusal = z.object({
  status: z.literal('error'),
  errorType: z.enum(['bad_data', 'execution']),
  error: z.string(),
});

export type Answer = z.output<typeof envelope>['data'];

const REQUEST_TIMEOUT_MS = 10_000;
const RETRY_MS = 250;

export class Prometheus {
  /** Without the credentials. */
  readonly url: string;
  readonly #endpoint: URL;
  readonly #access: Access;
  readonly #retryMs: number;

  /**
   * @param url may have basic credentials in it, which go before a bearer token
   * @param retryMs how long to go on asking a Prometheus that does not answer, before saying so
   * @throws UsageError when `url` is not an http or https URL
   */
  constructor(url: string, retryMs: number, access: Access = {}) {
    // The parser of URLs drops tabs and line breaks, and what hides credentials would not know the URL again; Node takes port
    // 0 for the default.
    const bare = URL.canParse(url) && !/\p{Cc}/u.test(url) ? new URL(url) : undefined;
    if (bare === undefined || !/^https?:$/.test(bare.protocol) || bare.port === '0') {
      const shown = hideCredentials(JSON.stringify(url));
      throw new UsageError(`--prometheus: expected a URL such as http://localhost:9090, got ${shown}`);
    }
    if (bare.search !== '' || bare.hash !== '')
      throw new UsageError('--prometheus: expected a URL without a query or fragment');
    const basic = toBasic(bare);
    bare.username = '';
    bare.password = '';
    this.url = bare.href.replace(/\/+$/, '');
    this.#endpoint = new URL(`${this.url}/api/v1/query`);
    this.#retryMs = retryMs;
    this.#access = { ...access, ...(basic && { basic }) };
  }

  /** Its clock, in seconds since 1970. */
  async time(signal: AbortSignal): Promise<number> {
    const data = await this.ask('time()', signal);
    if (data.resultType !== 'scalar') throw this.#notPrometheus('time()', 'scalar', data);
    return Number(data.result[1]);
  }

  /**
   * An instant query whose answer is a vector.
   * @param atSeconds on its clock; now where it is left out
   * @throws UnreachableError, naming the URL and the cause
   */
  async query(expression: string, signal: AbortSignal, atSeconds?: number): Promise<Sample[]> {
    const data = await this.ask(expression, signal, atSeconds);
    if (data.resultType !== 'vector') throw this.#notPrometheus(expression, 'vector', data);
    return data.result.flatMap(({ metric, value }) =>
      value ? [{ labels: metric, value: Number(value[1]) }] : [],
    );
  }

  /** The same of an expression with a range, whose answer is a matrix. @throws as {@link query} */
  async samples(expression: string, signal: AbortSignal, atSeconds?: number): Promise<Samples[]> {
    const data = await this.ask(expression, signal, atSeconds);
    if (data.resultType !== 'matrix') throw this.#notPrometheus(expression, 'matrix', data);
    return data.result.map(({ metric, values }) => ({
      labels: metric,
      points: values.map(([at, value]) => ({ atSeconds: at, value: Number(value) })),
    }));
  }

  #notPrometheus(expression: string, expected: string, { resultType }: Answer): UnreachableError {
    return new UnreachableError(
      `--prometheus: ${this.url}: expected a ${expected} as answer to ${expression}, got a ${resultType}`,
    );
  }

  /**
   * An instant query with whatever answer it has.
   * @throws UsageError with Prometheus' own words where it refuses the query
   * @throws UnreachableError, naming the URL and the cause
   */
  async ask(expression: string, signal: AbortSignal, atSeconds?: number): Promise<Answer> {
    const deadline = performance.now() + this.#retryMs;
    for (;;) {
      try {
        return await this.#askOnce(expression, signal, atSeconds);
      } catch (error) {
        signal.throwIfAborted();
        // What has answered, and is no Prometheus, will not become one.
        if (error instanceof UnreachableError || error instanceof UsageError) throw error;
        if (performance.now() >= deadline || isTlsFailure(error)) {
          const remedy = isTlsFailure(error) ? ' (see --prometheus-ca-file)' : '';
          throw new UnreachableError(`Prometheus at ${this.url} did not answer: ${reasonOf(error)}${remedy}`);
        }
        await sleep(RETRY_MS, signal);
      }
    }
  }

  async #askOnce(expression: string, signal: AbortSignal, atSeconds?: number): Promise<Answer> {
    const authorization = await authorize(this.#access);
    const { status, text, location } = await post(this.#endpoint, {
      form: new URLSearchParams({
        query: expression,
        ...(atSeconds === undefined ? {} : { time: String(atSeconds) }),
      }),
      authorization,
      ca: this.#access.ca,
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    });
    // A server may repeat what it was sent.
    const secret = authorization?.replace(/^\w+ /, '') ?? '';
    const quote = (said: string) => (secret === '' ? said : said.replaceAll(secret, '***'));
    const said = shorten(quote(text));
    // A Prometheus that starts, or a proxy before one that does, answers with a 5xx; one that limits the rate with a 429.
    if (status >= 500 || status === 429) throw new Error(`${status} ${said}`);
    if (status === 401 || status === 403)
      throw new UnreachableError(`Prometheus at ${this.url} ${explainRefusal(this.#access)} (${status})`);
    const json = parseJson(text);
    const { success, data } = envelope.safeParse(json);
    if (status === 200 && success) return data.data;
    const refused = refusal.safeParse(json);
    if (refused.success) throw new UsageError(`Prometheus refuses the query: ${quote(refused.data.error)}`);
    const redirect = location === undefined ? '' : `, a redirect to ${hideCredentials(quote(location))},`;
    throw new UnreachableError(
      `--prometheus: what answers at ${this.url} is not Prometheus, or does not let this query pass: ` +
        `POST /api/v1/query gave ${status}${redirect} ${said || '(no text)'}`,
    );
  }
}

/** @returns undefined for what is not JSON */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The beginning of an answer, on one line. */
function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
}
