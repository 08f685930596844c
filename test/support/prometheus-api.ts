// Prometheus' HTTP API as the tests use it, and waiting for a scrape.
import { Prometheus, type Target } from '@observability-stack/loadgen/prometheus';

export interface Sample {
  labels: Readonly<Record<string, string>>;
  /** Of a native histogram its count. */
  value: number;
}

/** An instant query that answers with a vector; one entry a series. `atSeconds` is a moment, by default now. */
export async function query(
  prometheusUrl: string,
  expression: string,
  atSeconds?: number,
): Promise<Sample[]> {
  const options = atSeconds === undefined ? {} : { atSeconds };
  const samples = await new Prometheus(prometheusUrl).query(expression, options);
  return samples.map(({ labels, value, histogram }) => ({ labels, value: histogram?.count ?? value }));
}

/** An instant query that must answer with exactly one series. */
export async function queryValue(prometheusUrl: string, expression: string): Promise<number> {
  const samples = await query(prometheusUrl, expression);
  const [only] = samples;
  if (samples.length !== 1 || !only)
    throw new Error(`${expression}: expected one series, got ${samples.length}`);
  return only.value;
}

export function activeTargets(prometheusUrl: string): Promise<Target[]> {
  return new Prometheus(prometheusUrl).targets();
}

/** Polls until `attempt` answers something else than undefined; the error at the deadline names what was waited for. */
export async function eventually<T>(
  description: string,
  attempt: () => Promise<T | undefined>,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let lastError: unknown;
  do {
    try {
      const result = await attempt();
      if (result !== undefined) return result;
    } catch (error) {
      lastError = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  } while (Date.now() < deadline);
  throw new Error(`not within ${timeoutMs} ms: ${description}`, { cause: lastError });
}

/** Waits until every API target was scraped after this moment, on Prometheus' own clock. */
export async function nextScrape(prometheusUrl: string, replicas = 1): Promise<void> {
  const moment = await new Prometheus(prometheusUrl).time();
  await eventually(`a scrape of ${replicas} API target(s) after ${moment}`, async () => {
    // timestamp() of anything but a bare selector is the moment of evaluation, not that of the sample.
    const fresh = await query(prometheusUrl, `(timestamp(up{job="api"}) > ${moment}) and up{job="api"} == 1`);
    return fresh.length >= replicas ? true : undefined;
  });
}
