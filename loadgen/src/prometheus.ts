/** The little of Prometheus' HTTP API that the generator needs: its clock, instant queries, and pushing marks. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { reasonOf, UnreachableError, UsageError } from './errors.ts';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const point = z.tuple([z.number(), z.string()]);
const answer = z.discriminatedUnion('resultType', [
  z.object({ resultType: z.literal('scalar'), result: point }),
  z.object({
    resultType: z.literal('vector'),
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: point })),
  }),
]);
const envelope = z.object({ status: z.literal('success'), data: answer });

const REQUEST_TIMEOUT_MS = 10_000;
const RETRY_MS = 250;

export class Prometheus {
  readonly url: string;
  readonly #retryMs: number;

  /**
   * @param retryMs how long to go on asking a Prometheus that does not answer, before saying so
   * @throws UsageError when `url` is not an http or https URL
   */
  constructor(url: string, retryMs: number) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new UsageError(`--prometheus: expected a URL such as http://localhost:9090, got "${url}"`);
    }
    this.url = url.replace(/\/+$/, '');
    this.#retryMs = retryMs;
  }

  /** Its clock, in seconds since 1970. */
  async time(signal: AbortSignal): Promise<number> {
    const data = await this.#ask('time()', signal);
    if (data.resultType !== 'scalar') throw new TypeError('time() is a scalar');
    return Number(data.result[1]);
  }

  /** An instant query that gives a vector. @throws UnreachableError, naming the URL and the cause */
  async query(expression: string, signal: AbortSignal): Promise<Sample[]> {
    const data = await this.#ask(expression, signal);
    if (data.resultType !== 'vector') throw new TypeError(`${expression} is no vector`);
    return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }

  /** Sends the body of a remote write. @throws Error with the reason */
  async push(body: Buffer): Promise<void> {
    const response = await fetch(`${this.url}/api/v1/write`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-protobuf',
        'content-encoding': 'snappy',
        'x-prometheus-remote-write-version': '0.1.0',
      },
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text.trim().slice(0, 200)}`);
  }

  async #ask(expression: string, signal: AbortSignal): Promise<z.output<typeof answer>> {
    const deadline = performance.now() + this.#retryMs;
    for (;;) {
      try {
        return await this.#askOnce(expression, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (performance.now() >= deadline) {
          throw new UnreachableError(`Prometheus at ${this.url} did not answer: ${reasonOf(error)}`);
        }
        await sleep(RETRY_MS, undefined, { signal });
      }
    }
  }

  async #askOnce(expression: string, signal: AbortSignal): Promise<z.output<typeof answer>> {
    const response = await fetch(`${this.url}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query: expression }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text.trim().slice(0, 200)}`);
    return envelope.parse(JSON.parse(text)).data;
  }
}
