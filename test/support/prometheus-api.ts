// Prometheus' HTTP API as the tests use it: instant queries, the list of targets, and waiting for a scrape.
import axios from 'axios';

export interface Sample {
  labels: Record<string, string>;
  /** Of a native histogram its count. */
  value: number;
}

interface VectorResponse {
  data: {
    result: ({ metric: Record<string, string> } & (
      | { value: [atSeconds: number, value: string] }
      | { histogram: [atSeconds: number, histogram: { count: string }] }
    ))[];
  };
}

export interface Target {
  labels: Record<string, string>;
  health: string;
  lastError: string;
  scrapeUrl: string;
}

/** An instant query that answers with a vector; one entry a series. `at` is a moment in Unix seconds, by default now. */
export async function query(prometheusUrl: string, expression: string, at?: number): Promise<Sample[]> {
  const response = await axios.get<VectorResponse>(`${prometheusUrl}/api/v1/query`, {
    params: { query: expression, ...(at === undefined ? {} : { time: at }) },
  });
  return response.data.data.result.map((sample) => ({
    labels: sample.metric,
    value: Number('value' in sample ? sample.value[1] : sample.histogram[1].count),
  }));
}

/** An instant query that must answer with exactly one series. */
export async function queryValue(prometheusUrl: string, expression: string): Promise<number> {
  const samples = await query(prometheusUrl, expression);
  const [only] = samples;
  if (samples.length !== 1 || !only)
    throw new Error(`${expression}: expected one series, got ${samples.length}`);
  return only.value;
}

export async function activeTargets(prometheusUrl: string): Promise<Target[]> {
  const response = await axios.get<{ data: { activeTargets: Target[] } }>(`${prometheusUrl}/api/v1/targets`);
  return response.data.data.activeTargets;
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
  const now = await axios.get<{ data: { result: [number, string] } }>(`${prometheusUrl}/api/v1/query`, {
    params: { query: 'time()' },
  });
  const moment = Number(now.data.data.result[1]);
  await eventually(`a scrape of ${replicas} API target(s) after ${moment}`, async () => {
    // timestamp() of anything but a bare selector is the moment of evaluation, not that of the sample.
    const fresh = await query(prometheusUrl, `(timestamp(up{job="api"}) > ${moment}) and up{job="api"} == 1`);
    return fresh.length >= replicas ? true : undefined;
  });
}
