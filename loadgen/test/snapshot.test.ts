import { describe, expect, it } from '@jest/globals';
import type { PrometheusReader, Snapshot } from '../src/verify/process.ts';
import type { Sample } from '../src/verify/prometheus.ts';
import { readSettledSnapshot, readSnapshot, sumOf } from '../src/verify/snapshot.ts';
import type { Standing } from '../src/verify/verification.ts';
import { valuesOf } from './series-text.ts';

interface Instance {
  up?: number;
  scrapedAt: number;
  start?: number;
  counted?: number;
}

/** A Prometheus whose clock stands at 1000 s and whose targets are what `stateOf` says when it is asked the n-th time. */
function createPrometheus(
  stateOf: (poll: number) => Record<string, Instance>,
): PrometheusReader & { polls: number } {
  return {
    url: 'http://prometheus:9090',
    polls: -1,
    time: async () => 1000,
    samples: async () => [],
    async query(expression) {
      if (expression.startsWith('up{')) this.polls++;
      return Object.entries(stateOf(Math.max(0, this.polls))).flatMap(([instance, state]): Sample[] => {
        const { up = 1, scrapedAt, start, counted = 0 } = state;
        const sample = (value: number, labels = {}) => ({
          labels: { instance, job: 'api', ...labels },
          value,
        });
        if (expression.startsWith('timestamp(')) return [sample(scrapedAt)];
        if (expression.startsWith('up{')) return [sample(up)];
        const started =
          start === undefined ? [] : [sample(start, { __name__: 'process_start_time_seconds' })];
        const scraped = start === undefined ? [] : [sample(scrapedAt, { loadgen_scraped_at: '1' })];
        const labels = { __name__: 'http_requests_total', path: 'cart', method: 'get', namespace: 'shop' };
        return [sample(1, { __name__: 'up' }), ...started, ...scraped, sample(counted, labels)];
      });
    },
  };
}

const options = { job: 'api', waitMs: 2000, signal: new AbortController().signal };

describe('a snapshot', () => {
  it('waits until every target was scraped after it was asked for, on the clock of Prometheus', async () => {
    const states = [
      { a: { scrapedAt: 999, start: 1 }, b: { scrapedAt: 998, start: 2 } },
      { a: { scrapedAt: 1004, start: 1 }, b: { scrapedAt: 998, start: 2 } },
      { a: { scrapedAt: 1004, start: 1, counted: 7 }, b: { scrapedAt: 1003, start: 2, counted: 5 } },
    ];
    const prometheus = createPrometheus((poll) => states[poll] ?? {});
    const snapshot = await readSnapshot(prometheus, options);
    expect(prometheus.polls).toBe(2);
    const process = (
      instance: string,
      startTimeSeconds: number,
      scrapedAtSeconds: number,
      counted: number,
    ) => ({
      ...{ labels: { instance, job: 'api' }, startTimeSeconds, scrapedAtSeconds },
      values: valuesOf({ 'http_requests_total{path="cart",method="get"}': counted }),
    });
    const instances = [process('a', 1, 1004, 7), process('b', 2, 1003, 5)];
    expect(snapshot).toEqual({ askedAtSeconds: 1000, instances });
    expect(sumOf(snapshot, 'http_requests_total')).toBe(12);
  });

  it('does not trust a scrape that Prometheus may have dated forward', async () => {
    const prometheus = createPrometheus((poll) => ({
      a: { scrapedAt: poll === 0 ? 1000.002 : 1005, start: 1 },
    }));
    await readSnapshot(prometheus, options);
    expect(prometheus.polls).toBe(1);
  });

  it('asks again where the counters are of an older scrape than Prometheus had just named', async () => {
    const prometheus = createPrometheus(() => ({ a: { scrapedAt: 1005, start: 1 } }));
    const query = prometheus.query.bind(prometheus);
    prometheus.query = async (expression, options) => {
      const samples = await query(expression, options);
      const isOld = prometheus.polls === 0;
      return samples.map((one) =>
        isOld && 'loadgen_scraped_at' in one.labels ? { ...one, value: 995 } : one,
      );
    };
    const snapshot = await readSnapshot(prometheus, options);
    expect([prometheus.polls, snapshot.instances[0]?.scrapedAtSeconds]).toEqual([1, 1005]);
  });

  it.each([
    ['no target is known', {}, 'it knows no target of job "api" yet'],
    ['a target is down', { a: { up: 0, scrapedAt: 1005 } }, 'a is down (up = 0)'],
    ['nothing is scraped', { a: { scrapedAt: 900 } }, 'the next scrape of a'],
  ])('says what was waited for when %s', async (_, state, reason) => {
    const waited: string[] = [];
    const brief = { ...options, waitMs: 150, onWait: (why: string) => waited.push(why) };
    const message = `Prometheus at http://prometheus:9090 got no new scrape of the API within 0.15 s: ${reason}`;
    await expect(
      readSnapshot(
        createPrometheus(() => state),
        brief,
      ),
    ).rejects.toThrow(message);
    expect(waited).toEqual([reason]);
  });

  it('is refused where restarts could not be told', async () => {
    const prometheus = createPrometheus(() => ({ a: { scrapedAt: 1005 } }));
    await expect(readSnapshot(prometheus, options)).rejects.toThrow(
      'a of job "api" in Prometheus has no process_start_time_seconds',
    );
  });

  it('is refused where several targets have one set of labels', async () => {
    const prometheus = createPrometheus(() => ({ a: { scrapedAt: 1005, start: 1 } }));
    const query: PrometheusReader['query'] = async (expression, options) => {
      const samples = await prometheus.query(expression, options);
      const ups = samples.filter(({ labels }) => labels.__name__ === 'up');
      return [...samples, ...ups.map((up) => ({ ...up, labels: { ...up.labels, pod: 'b' } }))];
    };
    await expect(readSnapshot({ ...prometheus, query }, options)).rejects.toThrow(
      '2 targets of job "api" in Prometheus have the labels of 1: they cannot be told apart',
    );
  });

  it('can be given up', async () => {
    const controller = new AbortController();
    const nothing = createPrometheus(() => ({}));
    const waiting = readSnapshot(nothing, { ...options, signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toThrow('aborted');
  });
});

describe('processes that have ended', () => {
  const CART = 'http_requests_total';
  const before: Snapshot = {
    askedAtSeconds: 900,
    instances: ['a', 'b'].map((instance) => ({
      labels: { instance, job: 'api' },
      startTimeSeconds: 1,
      scrapedAtSeconds: 905,
      values: [],
    })),
  };
  /** What was scraped: of an instance a start time, whether drained, and the counter. */
  const scrapes: [instance: string, atSeconds: number, start: number, drained: number, counted: number][] = [
    ['a', 905, 1, 0, 10],
    ['a', 950, 1, 0, 20],
    ['a', 955, 1, 1, 25],
    ['a', 1005, 960, 0, 3],
    ['b', 905, 1, 0, 7],
    ['new', 940, 930, 0, 1],
    ['early', 904, 1, 1, 500],
  ];
  const prometheus: PrometheusReader = {
    ...createPrometheus(() => ({ a: { scrapedAt: 1005, start: 960, counted: 3 } })),
    samples: async (expression) => {
      const seconds = Number(/\[(\d+)s]$/.exec(expression)?.[1]);
      const shown = scrapes.filter(([, atSeconds]) => atSeconds > 1000 - seconds);
      return [...Map.groupBy(shown, ([instance]) => instance)].map(([instance, points]) => ({
        labels: { instance, job: 'api' },
        points: points.map(([, atSeconds, start]) => ({ atSeconds, value: start })),
      }));
    },
  };
  const now = prometheus.query.bind(prometheus);
  prometheus.query = async (expression, options = {}) => {
    const { atSeconds } = options;
    if (atSeconds === undefined) return now(expression, options);
    const [, instance] = /instance="(\w+)"/.exec(expression) ?? [];
    const found = scrapes.find(([name, at]) => name === instance && at === atSeconds);
    if (!found) return [];
    const [, , start, drained, counted] = found;
    const sample = (name: string, value: number, labels = {}) => ({
      labels: { __name__: name, instance, job: 'api', ...labels },
      value,
    });
    return [
      sample('up', 1),
      sample('process_start_time_seconds', start),
      sample('http_server_drained', drained),
      sample(CART, counted, { path: 'cart', method: 'get' }),
    ] as Sample[];
  };

  it('are read as they were last scraped, since the snapshot that it is compared with', async () => {
    const snapshot = await readSnapshot(prometheus, { ...options, beforeOf: () => before });
    const terminated = snapshot.terminated?.map(({ values, labels, ...process }) => [
      labels.instance,
      ...Object.values(process),
      values.map(({ metric, value }) => [metric, value]),
    ]);
    expect(terminated).toEqual([
      ['a', 1, 955, true, [[CART, 25]]],
      ['b', 1, 905, false, [[CART, 7]]],
      ['new', 930, 940, false, [[CART, 1]]],
    ]);
  });

  it('are found after a month without snapshot every sample since', async () => {
    const month = 30 * 86_400;
    // One target, scraped every 10 minutes, whose process ends twice; another one that is there for a minute only.
    const ends = [100_003, month - 5];
    const series: Record<string, [atSeconds: number, start: number][]> = { a: [], b: [] };
    for (let at = 1000 - month; at <= 1000; at += 600)
      series.a?.push([at, 10 + 475 * ends.filter((end) => at + month - 1000 > end).length]);
    for (let at = -900_000; at < -899_940; at += 10) series.b?.push([at, 77]);
    let read = 0;
    const long: PrometheusReader = {
      ...prometheus,
      samples: async (expression, { atSeconds: nowSeconds = 1000 } = {}) => {
        const [, of, part = '0', seconds = '0'] =
          /^(min|max)?.*?\[(\d+)s\](?:\)?\)?\[(\d+)s)?/.exec(expression) ?? [];
        const within = (end: number, length: string) => (point: [number, number]) =>
          point[0] > end - Number(length) && point[0] <= end;
        const ends = Array.from(
          { length: Math.floor(Number(seconds) / Number(part)) },
          (_, n) => (Math.floor(nowSeconds / Number(part)) - n) * Number(part),
        ).reverse();
        return Object.entries(series).map(([instance, all]) => {
          const points =
            of === undefined
              ? all.filter(within(nowSeconds, part)).map(([atSeconds, value]) => ({ atSeconds, value }))
              : ends.flatMap((atSeconds) => {
                  const values = all.filter(within(atSeconds, part)).map(([, value]) => value);
                  return values.length === 0
                    ? []
                    : [{ atSeconds, value: of === 'min' ? Math.min(...values) : Math.max(...values) }];
                });
          read += points.length;
          return { labels: { instance, job: 'api' }, points };
        });
      },
      query: async (expression, options = {}) => {
        const { atSeconds } = options;
        if (atSeconds === undefined) return now(expression, options);
        const [, instance = ''] = /instance="(\w+)"/.exec(expression) ?? [];
        const start = series[instance]?.find(([at]) => at === atSeconds)?.[1] ?? Number.NaN;
        const labels = { instance, job: 'api' };
        return [{ labels: { ...labels, __name__: 'process_start_time_seconds' }, value: start }];
      },
    };
    const then = { ...before, askedAtSeconds: 1000 - month };
    const { terminated } = await readSnapshot(long, {
      ...options,
      beforeOf: () => ({ ...then, instances: [] }),
    });
    expect(
      terminated?.map((one) => [one.labels.instance, one.startTimeSeconds, one.scrapedAtSeconds]).toSorted(),
    ).toEqual([
      ['a', 10, 100_600 - month],
      ['a', 485, 400],
      ['b', 77, -899_950],
    ]);
    expect(read).toBeLessThan(1_500);
  });

  it('are not read where there is nothing to compare with', async () => {
    expect(await readSnapshot(prometheus, options)).not.toHaveProperty('terminated');
  });
});

describe('a snapshot after traffic', () => {
  it.each<[string, string[], number]>([
    ['again while something is missing, and once more when all is equal', ['missing', 'equal', 'equal'], 3],
    ['until two in a row are equal', ['equal', 'missing', 'equal', 'equal'], 4],
    ['no more when something is wrong after it was equal', ['equal', 'wrong'], 2],
  ])('is taken %s', async (_name, standings, times) => {
    const prometheus = createPrometheus((poll) => ({ a: { scrapedAt: 1005, start: 1, counted: poll + 1 } }));
    const snapshot = await readSettledSnapshot(
      prometheus,
      options,
      (now) => standings[sumOf(now, 'http_requests_total') - 1] as Standing,
    );
    expect(sumOf(snapshot, 'http_requests_total')).toBe(times);
  });
});
