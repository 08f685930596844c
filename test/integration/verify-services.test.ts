/** Situations that could mislead a verification, with a real Prometheus: each gets the correct verdict. */
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type PatternInput, type Report, run } from 'exact-load';
import { query } from '../support/prometheus.ts';
import { type Job, type ScrapingPrometheus, startPrometheus } from '../support/prometheus-container.ts';
import { portOf } from '../support/server.ts';
import { eventually } from '../support/until.ts';

/** A service that counts its responses in `requests_total`; tests interfere with its counts. */
class Service {
  url = '';
  counts = new Map<string, number>([['old', 10]]);
  startTimeSeconds: number | undefined;
  cpuSeconds: number | undefined;
  /** Called before the n-th request is answered. */
  onRequest: (service: Service, nth: number) => unknown = () => {};
  onScrape: (service: Service) => unknown = () => {};
  #requests = 0;
  readonly #server: Server = createServer(async (request, response) => {
    if (request.url === '/metrics') {
      response.end(this.#exposition());
      this.onScrape(this);
      return;
    }
    await this.onRequest(this, ++this.#requests);
    this.count('/a');
    response.end('ok');
  });

  count(route: string): void {
    this.counts.set(route, (this.counts.get(route) ?? 0) + 1);
  }

  #exposition(): string {
    const lines = [...this.counts].map(
      ([route, n]) => `requests_total{route="${route}",method="GET",code="200"} ${n}\n`,
    );
    const start = this.startTimeSeconds;
    if (start !== undefined) lines.push(`process_start_time_seconds ${start}\n`);
    if (this.cpuSeconds !== undefined) lines.push(`process_cpu_seconds_total ${this.cpuSeconds}\n`);
    return `# TYPE requests_total counter\n${lines.join('')}`;
  }

  async listen(): Promise<void> {
    this.url = `http://127.0.0.1:${await portOf(this.#server.listen(0, '127.0.0.1'))}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

type Verification = NonNullable<Report['verification']>;

interface Case {
  readonly job?: string;
  readonly settings?: readonly string[];
  readonly targets?: number;
  /** What happens to the service. */
  readonly changes?: Partial<Service>;
  readonly wait?: string;
  readonly expected: object;
}

let prometheus: ScrapingPrometheus;

const wrongIn = (verification: Verification) =>
  verification.rows
    .filter(({ difference }) => difference !== 0)
    .map(({ labels, difference }) => `${labels?.route} ${difference}`);

/** @param obstacle a part of the only obstacle */
const unverifiable = (obstacle: string | RegExp) => ({
  verdict: 'unverifiable',
  obstacles: [
    typeof obstacle === 'string' ? expect.stringContaining(obstacle) : expect.stringMatching(obstacle),
  ],
});

/** Two processes, by their process metrics. */
const ONE = { startTimeSeconds: 1_000, cpuSeconds: 9 };
const OTHER = { startTimeSeconds: 1_000.2, cpuSeconds: 3 };

const CASES: Readonly<Record<string, Case>> = {
  'nothing unusual, for a job whose name has special characters of PromQL': {
    job: 'sh.p+(1)|"x"\\',
    expected: { verdict: 'verified' },
  },
  'a scrape interval that is longer than the wait': {
    settings: ['scrape_interval: 8s'],
    wait: '1s',
    expected: { verdict: 'verified' },
  },
  'Prometheus that is restarted during the run': {
    changes: { onRequest: (_service, nth) => nth === 2 && prometheus.container.restart() },
    expected: { verdict: 'verified' },
  },
  'requests of another client in the same seconds': {
    changes: { onRequest: (service, nth) => nth === 2 && service.count('/b') },
    expected: {
      verdict: 'failed',
      notes: expect.not.arrayContaining([expect.stringContaining('scrapes')]),
    },
  },
  'scrapes that are counted': {
    changes: { onScrape: (service) => service.count('/metrics') },
    expected: {
      verdict: 'failed',
      notes: expect.arrayContaining([
        expect.stringMatching(
          /route="\/metrics".*: the service seems to count its own scrapes \(\d+ in that time\)/,
        ),
      ]),
    },
  },
  'counters that restart at 0, without a start time': {
    changes: { onRequest: (service, nth) => nth === 1 && service.counts.clear() },
    expected: unverifiable('is 10 less than before: restarted, or no longer exposed'),
  },
  'another start time, of a process that has lost its counts': {
    changes: {
      startTimeSeconds: 1_000,
      onRequest: (service, nth) =>
        nth === 3 && Object.assign(service, { startTimeSeconds: 2_000, counts: new Map() }),
    },
    expected: unverifiable(
      /ended without being drained: at most \d requests? that it answered after its last scrape (is|are) lost/,
    ),
  },
  'counters that are higher after a restart than before': {
    changes: {
      async onRequest(service, nth) {
        if (nth !== 1) return;
        service.counts.set('old', 1);
        await eventually('a scrape of the lower count', async () => {
          const lower = 'requests_total{job=~"counters that are higher.*", route="old"} == 1';
          return (await query(prometheus.url, lower)).length > 0;
        });
        service.counts.set('old', 10);
      },
    },
    expected: unverifiable('restarted in between, so its counters started again at 0'),
  },
  'a series that is no longer exposed': {
    changes: {
      startTimeSeconds: 1_000,
      onRequest: (service, nth) => nth === 1 && service.counts.delete('old'),
    },
    expected: unverifiable('is 10 less than before, without a restart'),
  },
  'two targets that are one process': {
    targets: 2,
    changes: { startTimeSeconds: 1_000 },
    expected: {
      verdict: 'failed',
      notes: [
        expect.stringContaining('have identical counts, like one process that is scraped as two targets'),
      ],
    },
  },
  'several processes that answer the scrapes in turn': {
    changes: {
      ...ONE,
      onScrape: (service) => Object.assign(service, service.cpuSeconds === ONE.cpuSeconds ? OTHER : ONE),
    },
    expected: unverifiable(/^several processes answer the scrapes of .* in turn/),
  },
  'relabelling that drops a label': {
    settings: ['metric_relabel_configs: [{ action: labeldrop, regex: code }]'],
    expected: unverifiable(
      /^no sample of requests_total in Prometheus has the label code: does relabelling drop it\?$/,
    ),
  },
  'a sample limit that is hit': {
    settings: ['sample_limit: 1'],
    changes: { counts: new Map(Object.entries({ old: 10, more: 1 })) },
    wait: '3s',
    expected: /is down \(up = 0\): sample limit exceeded$/,
  },
};

const services = new Map<string, Service>();

beforeAll(async () => {
  const jobs: Job[] = [];
  for (const [name, { job = name, settings = [], targets = 1, changes }] of Object.entries(CASES)) {
    const service = Object.assign(new Service(), changes);
    await service.listen();
    services.set(name, service);
    jobs.push({ job, settings, metricsUrls: Array(targets).fill(`${service.url}/metrics`) });
  }
  prometheus = await startPrometheus(jobs);
});

afterAll(async () => {
  await prometheus?.stop();
  for (const service of services.values()) service.close();
});

it.each(Object.entries(CASES))('%s', async (name, { job = name, wait, expected }) => {
  const service = services.get(name) as Service;
  const metrics: PatternInput['metrics'] = {
    counters: [{ name: 'requests_total', route: 'route', method: 'method', code: 'code' }],
  };
  const pattern: PatternInput = {
    metrics,
    targets: [{ path: '/a', count: 5, series: { route: '/a' } }],
  };
  // Longer than a restart of Prometheus, for which a request waits.
  const timeout = '2m';
  const options = { pattern, target: service.url, prometheus: prometheus.url, job, wait, timeout };
  if (expected instanceof RegExp) {
    // On a busy machine the latest scrape may have failed for another reason.
    await eventually('the error', () =>
      expect(run(options))
        .rejects.toThrow(expected)
        .then(() => true),
    );
    return;
  }
  const { verification } = await run(options);
  expect({ ...verification, wrong: verification && wrongIn(verification) }).toMatchObject(expected);
});
