/** What the tests ask Prometheus: instant queries, lists of its HTTP API, and waiting for a scrape. */
import axios from 'axios';
import { eventually } from './until.ts';

export interface Sample {
  labels: Record<string, string>;
  /** Of a native histogram its count. */
  value: number;
}

interface Vector {
  result: ({ metric: Record<string, string> } & (
    | { value: [atSeconds: number, value: string] }
    | { histogram: [atSeconds: number, histogram: { count: string }] }
  ))[];
}

/** `/api/v1/PATH`, what is in its envelope. */
export async function ask<T>(prometheusUrl: string, path: string, params: object = {}): Promise<T> {
  const { data } = await axios.get<{ data: T }>(`${prometheusUrl}/api/v1/${path}`, { params });
  return data.data;
}

/** An instant query that answers with a vector; one entry a series. `at` is a moment in Unix seconds, by default now. */
export async function query(prometheusUrl: string, expression: string, at?: number): Promise<Sample[]> {
  const { result } = await ask<Vector>(prometheusUrl, 'query', { query: expression, time: at });
  return result.map((sample) => ({
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

/** Waits until every API target was scraped after this moment, on Prometheus' own clock. */
export async function nextScrape(prometheusUrl: string): Promise<void> {
  const moment = await queryValue(prometheusUrl, 'vector(time())');
  await eventually(`a scrape of the API after ${moment}`, async () => {
    // timestamp() of anything but a bare selector is the moment of evaluation, not that of the sample.
    const fresh = await query(prometheusUrl, `(timestamp(up{job="api"}) > ${moment}) and up{job="api"} == 1`);
    return fresh.length > 0;
  });
}

export interface Target {
  labels: Record<string, string>;
  health: string;
  lastError: string;
}

/** What Prometheus scrapes of a job. */
export async function targetsOf(prometheusUrl: string, job: string): Promise<Target[]> {
  const { activeTargets } = await ask<{ activeTargets: Target[] }>(prometheusUrl, 'targets');
  return activeTargets.filter(({ labels }) => labels.job === job);
}
