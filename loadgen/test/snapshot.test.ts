import { describe, expect, it } from '@jest/globals';
import type { PrometheusReader, Snapshot } from '../src/verify/process.ts';
import type { Sample } from '../src/verify/prometheus.ts';
import { readSettledSnapshot, readSnapshot, sumOfMetric } from '../src/verify/snapshot.ts';
import type { Standing } from '../src/verify/verification.ts';
import { OURS, snapshotOf, valuesOf } from './snapshots.ts';

const REQUESTS = 'http_requests_total';
const START = 'process_start_time_seconds';

interface Instance {
  readonly up?: number;
  readonly scrapedAt: number;
  readonly start?: number;
  readonly counted?: number;
}

function sampleOf(instance: string, value: number, labels: Record<string, string>): Sample {
  return { labels: { instance, job: 'api', ...labels }, value };
}

/** A Prometheus whose clock is fixed at 1000 s, and whose targets at the n-th query are `stateOf(n)`. */
function createPrometheus(stateOf: (poll: number) => Record<string, Instance>) {
  const prometheus: PrometheusReader & { polls: number } = {
    url: 'http://prometheus:9090',
    polls: -1,
    time: async () => 1000,
    samples: async () => [],
    targets: async () => [],
    async query() {
      prometheus.polls++;
      const targets = Object.entries(stateOf(prometheus.polls));
      return targets.flatMap(([instance, { up = 1, scrapedAt, start, counted = 0 }]): Sample[] => {
        const sample = (value: number, labels = {}) => sampleOf(instance, value, labels);
        const labels = { __name__: REQUESTS, path: 'cart', method: 'get', namespace: 'shop' };
        const always = [sample(up, { __name__: 'up' }), sample(counted, labels)];
        const started = [
          sample(start ?? 0, { __name__: START }),
          sample(scrapedAt, { loadgen_scraped_at: '1' }),
        ];
        return start === undefined ? always : [...always, ...started];
      });
    },
  };
  return prometheus;
}

const options = { job: 'api', metrics: OURS, waitMs: 60_000, signal: new AbortController().signal };
const FRESH = { a: { scrapedAt: 1005, start: 1 } };

/** The same Prometheus with changed results. */
function changed(prometheus: PrometheusReader, change: (samples: Sample[]) => Sample[]): PrometheusReader {
  const query: PrometheusReader['query'] = async (...args) => change(await prometheus.query(...args));
  return { ...prometheus, query };
}

describe('a snapshot', () => {
  it('waits until every target was scraped after the request, on the clock of Prometheus', async () => {
    const states = [
      { a: { scrapedAt: 999, start: 1 }, b: { scrapedAt: 998, start: 2 } },
      { a: { scrapedAt: 1004, start: 1 }, b: { scrapedAt: 998, start: 2 } },
      { a: { scrapedAt: 1004, start: 1, counted: 7 }, b: { scrapedAt: 1003, start: 2, counted: 5 } },
    ];
    const prometheus = createPrometheus((poll) => states[poll] ?? {});
    const snapshot = await readSnapshot({ ...options, prometheus });
    expect(prometheus.polls).toBe(2);
    const instanceOf = (instance: string, start: number, scrapedAt: number, counted: number) => ({
      labels: { instance, job: 'api' },
      startTimeSeconds: start,
      scrapedAtSeconds: scrapedAt,
      values: valuesOf({ [`${REQUESTS}{path="cart",method="get"}`]: counted }),
    });
    const instances = [instanceOf('a', 1, 1004, 7), instanceOf('b', 2, 1003, 5)];
    expect(snapshot).toEqual({ askedAtSeconds: 1000, instances });
    expect(sumOfMetric(snapshot, REQUESTS)).toBe(12);
  });

  it('does not trust a scrape whose timestamp may be later than the scrape', async () => {
    const scrapedAt = (poll: number) => (poll === 0 ? 1000.002 : 1005);
    const prometheus = createPrometheus((poll) => ({ a: { scrapedAt: scrapedAt(poll), start: 1 } }));
    await readSnapshot({ ...options, prometheus });
    expect(prometheus.polls).toBe(1);
  });

  it('waits longer for a store with forwarded samples while they arrive', async () => {
    const beganMs = performance.now();
    // The scrape of each second arrives a quarter of a second later than the previous one.
    const scrapedAt = () => 996 + Math.floor((performance.now() - beganMs) / 250);
    const prometheus = createPrometheus(() => ({ a: { scrapedAt: scrapedAt(), start: 1 } }));
    await readSnapshot({ prometheus, ...options, waitMs: 300 });
    expect(performance.now() - beganMs).toBeGreaterThan(900);
  });

  it('uses the oldest sample of a process if its samples arrive separately', async () => {
    const prometheus = createPrometheus((poll) => ({ a: { scrapedAt: 1005, start: 1, counted: poll } }));
    const late = () => sampleOf('a', prometheus.polls < 2 ? 995 : 1005, { loadgen_scraped_at: REQUESTS });
    const forwarded = changed(prometheus, (samples) => [...samples, late()]);
    expect(sumOfMetric(await readSnapshot({ ...options, prometheus: forwarded }), REQUESTS)).toBe(2);
  });

  it.each<[string, Record<string, Instance>, string]>([
    ['no target is known', {}, 'it has no target of job "api" yet'],
    ['a target is down', { a: { up: 0, scrapedAt: 1005 } }, 'a is down (up = 0)'],
    ['nothing is scraped', { a: { scrapedAt: 900, start: 1 } }, 'the next scrape of a'],
  ])('reports the reason for waiting if %s', async (_, state, reason) => {
    const waited: string[] = [];
    const brief = { ...options, waitMs: 150, onWait: (why: string) => waited.push(why) };
    const prometheus = createPrometheus(() => state);
    await expect(readSnapshot({ ...brief, prometheus })).rejects.toThrow(
      `Prometheus at http://prometheus:9090 got no new scrape of job "api" within 0.15 s: ${reason}`,
    );
    expect(waited).toEqual([reason]);
  });

  it('is refused if restarts could not be detected', async () => {
    const prometheus = createPrometheus(() => ({ a: { scrapedAt: 1005 } }));
    await expect(readSnapshot({ ...options, prometheus })).rejects.toThrow(
      'a of job "api" in Prometheus has no process_start_time_seconds',
    );
  });

  it('is refused if several targets have the same labels', async () => {
    const prometheus = createPrometheus(() => FRESH);
    const doubled = changed(prometheus, (samples) => {
      const ups = samples.filter(({ labels }) => labels.__name__ === 'up');
      return [...samples, ...ups.map((up) => ({ ...up, labels: { ...up.labels, pod: 'b' } }))];
    });
    await expect(readSnapshot({ ...options, prometheus: doubled })).rejects.toThrow(
      '2 targets of job "api" in Prometheus have only 1 set of labels: they cannot be distinguished',
    );
  });

  it('can be aborted', async () => {
    const controller = new AbortController();
    const prometheus = createPrometheus(() => ({}));
    const waiting = readSnapshot({ prometheus, ...options, signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toThrow('aborted');
  });
});

type Scrape = readonly [atSeconds: number, start: number, drained?: number, counted?: number];

/** A Prometheus with history that counts the points it returns. At 1000 s only the third process of `a` exists. */
function createHistory(history: Readonly<Record<string, readonly Scrape[]>>) {
  const now = createPrometheus(() => ({ a: { scrapedAt: 1005, start: 960, counted: 3 } }));
  const given = { points: 0 };
  /** `selector[10s]`, or `last_over_time(selector[10s])[60s:10s]`, whose steps are the multiples of 10 s. */
  const samples: PrometheusReader['samples'] = async (expression, { atSeconds: end = 1000 } = {}) => {
    const [, of, part, whole = part] = /^(last)?.*?\[(\d+)s\](?:\)\[(\d+)s)?/.exec(expression) ?? [];
    const [step, seconds] = [Number(part), Number(whole)];
    const last = Math.floor(end / step);
    const moments = Array.from({ length: seconds / step }, (_, n) => (last - n) * step).reverse();
    return Object.entries(history).map(([instance, scrapes]) => {
      const within = (to: number) => scrapes.filter(([at]) => at > to - step && at <= to);
      const starts = (to: number) => within(to).map(([, start]) => start);
      const points =
        of === undefined
          ? within(end).map(([atSeconds, value]) => ({ atSeconds, value }))
          : moments
              .filter((moment) => within(moment).length > 0)
              .map((at) => ({ atSeconds: at, value: starts(at).at(-1) ?? 0 }));
      given.points += points.length;
      return { labels: { instance, job: 'api' }, points };
    });
  };
  const query: PrometheusReader['query'] = async (expression, options = {}) => {
    if (options.atSeconds === undefined) return now.query(expression);
    const [, instance = ''] = /instance="(\w+)"/.exec(expression) ?? [];
    const scrape = history[instance]?.find(([at]) => at === options.atSeconds);
    if (scrape === undefined) return [];
    const [, start, drained = 0, counted = 0] = scrape;
    return [
      sampleOf(instance, 1, { __name__: 'up' }),
      sampleOf(instance, start, { __name__: START }),
      sampleOf(instance, scrape[0], { loadgen_scraped_at: '1' }),
      sampleOf(instance, drained, { __name__: 'http_server_drained' }),
      sampleOf(instance, counted, { __name__: REQUESTS, path: 'cart', method: 'get' }),
    ];
  };
  const read = async (before: Snapshot) => {
    const prometheus = { ...now, samples, query };
    const { terminated = [] } = await readSnapshot({ prometheus, ...options, beforeOf: () => before });
    return terminated.map(({ labels, startTimeSeconds, scrapedAtSeconds, isDrained, values }) => [
      labels.instance,
      startTimeSeconds,
      scrapedAtSeconds,
      isDrained,
      ...values.map(({ metric, value }) => `${metric} ${value}`),
    ]);
  };
  return { given, read };
}

describe('processes that have terminated', () => {
  it('since the earlier snapshot are read with the values of their last scrape', async () => {
    const { read } = createHistory({
      a: [
        [905, 1, 0, 10],
        [950, 1, 0, 20],
        [955, 1, 1, 25],
        [1005, 960, 0, 3],
      ],
      b: [[905, 1, 0, 7]],
      new: [[940, 930, 0, 1]],
      early: [[904, 1, 1, 500]],
    });
    expect(await read(snapshotOf({ a: {}, b: {} }, 904))).toEqual([
      ['a', 1, 955, true, `${REQUESTS} 25`],
      ['b', 1, 905, false, `${REQUESTS} 7`],
      ['new', 930, 940, false, `${REQUESTS} 1`],
    ]);
  });

  it('are found after a month without reading all samples', async () => {
    const MONTH = 30 * 86_400;
    // One target, scraped every 10 minutes, whose process ends twice; and another one that exists for only a minute.
    const ends = [100_003, MONTH - 5].map((end) => 1000 - MONTH + end);
    const times = Array.from({ length: MONTH / 600 + 1 }, (_, n) => 1000 - MONTH + 600 * n);
    const { given, read } = createHistory({
      a: times.map((at) => [at, 10 + 475 * ends.filter((end) => at > end).length]),
      b: [0, 10, 20, 30, 40, 50].map((at) => [at - 900_000, 77]),
    });
    const found = await read({ askedAtSeconds: 1000 - MONTH, instances: [] });
    expect(found.map((one) => one.slice(0, 3)).toSorted()).toEqual([
      ['a', 10, 100_600 - MONTH],
      ['a', 485, 400],
      ['b', 77, -899_950],
    ]);
    expect(given.points).toBeLessThan(1_500);
  });

  it('are not read if there is no earlier snapshot', async () => {
    const prometheus = createPrometheus(() => FRESH);
    expect(await readSnapshot({ ...options, prometheus })).not.toHaveProperty('terminated');
  });
});

describe('a snapshot after traffic', () => {
  it.each<[string, Standing[], number]>([
    ['again while something is missing, and once more when all is equal', ['missing', 'equal', 'equal'], 3],
    ['until two in a row are equal', ['equal', 'missing', 'equal', 'equal'], 4],
    ['no more when a count is wrong after all were equal', ['equal', 'wrong'], 2],
  ])('is taken %s', async (_, standings, times) => {
    const prometheus = createPrometheus((poll) => ({ a: { scrapedAt: 1005, start: 1, counted: poll + 1 } }));
    const standingOf = (now: Snapshot) => standings[sumOfMetric(now, REQUESTS) - 1] as Standing;
    const snapshot = await readSettledSnapshot({ ...options, prometheus }, standingOf);
    expect(sumOfMetric(snapshot, REQUESTS)).toBe(times);
  });
});
