/** Queries of tests that the client lacks: exactly one value, data that only Prometheus reports, and waiting for a scrape. */

import axios from 'axios';
import { Prometheus, type Target } from 'exact-load/prometheus';
import { eventually } from './until.ts';

export interface Sample {
  labels: Readonly<Record<string, string>>;
  /** For a native histogram, its count. */
  value: number;
}

/** An instant query that returns a vector, one entry per series. `atSeconds` is a time in Unix seconds, by default now. */
export async function query(
  prometheusUrl: string,
  expression: string,
  atSeconds = Date.now() / 1000,
): Promise<Sample[]> {
  const samples = await new Prometheus(prometheusUrl).query(expression, { atSeconds });
  return samples.map(({ labels, value, histogram }) => ({ labels, value: histogram?.count ?? value }));
}

async function valueNow(prometheusUrl: string, expression: string): Promise<number> {
  const samples = await query(prometheusUrl, expression);
  const [only] = samples;
  if (samples.length !== 1 || !only) throw new Error(`expected one series, got ${samples.length}`);
  return only.value;
}

/** An instant query that must return exactly one series. Polls, because a scrape that fails on a busy machine hides all series. */
export const queryValue = (prometheusUrl: string, expression: string): Promise<number> =>
  eventually(`one series of ${expression}`, () => valueNow(prometheusUrl, expression));

/** Polls until an instant query returns one series with this value. A counter that is too high never returns to it. */
export async function expectValue(prometheusUrl: string, expression: string, value: number): Promise<void> {
  await eventually(`${expression} is ${value}`, async () => {
    const found = await valueNow(prometheusUrl, expression);
    if (found !== value) throw new Error(`got ${found}`);
    return true;
  });
}

/** Waits until the API was scraped after this moment, on Prometheus' own clock, or after Prometheus has started. */
export async function nextScrape(prometheusUrl: string): Promise<void> {
  const moment = await eventually('an answer of Prometheus', () => new Prometheus(prometheusUrl).time());
  await eventually(`a scrape of the API after ${moment}`, async () => {
    // timestamp() of anything but a bare selector is the time of evaluation, not that of the sample.
    const fresh = await query(prometheusUrl, `(timestamp(up{job="api"}) > ${moment}) and up{job="api"} == 1`);
    return fresh.length > 0;
  });
}

/** The targets that Prometheus scrapes for a job. */
export async function targetsOf(prometheusUrl: string, job: string): Promise<Target[]> {
  const targets = await new Prometheus(prometheusUrl).targets();
  return targets.filter(({ labels }) => labels.job === job);
}

/** `/api/v1/PATH`, for data that the client does not read. */
export async function read<T>(prometheusUrl: string, path: 'alerts' | 'rules'): Promise<T> {
  const { data } = await axios.get<{ data: T }>(`${prometheusUrl}/api/v1/${path}`);
  return data.data;
}
