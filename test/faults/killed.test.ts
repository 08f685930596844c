// Processes that end without being asked, under load: they are back by themselves, and what is lost is said.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import { createProject, docker, type Project, removeProject, stackCommand } from '../support/commands.ts';
import { alerts, figure, loadWhile, onlyContainerOf, outcome, seconds, signal } from '../support/faults.ts';
import { inspect } from '../support/inspect.ts';
import { eventually, nextScrape, query, queryValue } from '../support/prometheus-api.ts';

const startTimeoutMs = 180_000;
const faultTimeoutMs = 120_000;
const removeTimeoutMs = 90_000;

const RATE = 100;
const SCRAPE_INTERVAL_SECONDS = 5;
const BACK_WITHIN_MS = 15_000;

let project: Project;
let prometheusUrl: string;
let metricsUrl: string;
let api: string;
let prometheus: string;

beforeAll(async () => {
  project = await createProject('killed');
  prometheusUrl = `http://127.0.0.1:${project.ports.PROMETHEUS_HOST_PORT}`;
  metricsUrl = `http://127.0.0.1:${project.ports.METRICS_HOST_PORT}`;
  expect(await stackCommand(project, ['up'])).toMatchObject({ exitCode: 0 });
  api = await onlyContainerOf(project, 'api');
  prometheus = await onlyContainerOf(project, 'prometheus');
}, startTimeoutMs);

afterAll(() => removeProject(project), removeTimeoutMs);

const load = (...words: string[]) => [
  '--rate',
  String(RATE),
  '--timeout',
  '2s',
  '--connections',
  '1000',
  ...words,
];

/** Waits until a container that ended is there again and answers, and tells how long that took. */
async function back(container: string, restarts: number, url: string): Promise<number> {
  const endedMs = performance.now();
  await eventually(`an answer of ${url}`, async () => {
    if ((await inspect(container)).RestartCount === restarts) return undefined;
    return (await axios.get(url)).status === 200 ? true : undefined;
  });
  const backMs = performance.now() - endedMs;
  figure(`back after ${seconds(backMs)}`);
  return backMs;
}

/** A moment at which the last scrape is some seconds old, so that there is something to lose. */
async function halfwayToTheNextScrape(): Promise<void> {
  await eventually('a scrape that is two seconds old', async () => {
    const age = await queryValue(prometheusUrl, 'time() - max(timestamp(up{job="api"}))');
    return age > 2 && age < 3.5 ? true : undefined;
  });
}

/** How often an alert says that the API has ended without being drained; 0 where none fires. */
async function endsTold(): Promise<number> {
  const restarting = (await alerts(prometheusUrl)).filter(
    ({ labels, state }) => labels.alertname === 'ApiRestarting' && state === 'firing',
  );
  return restarting.reduce((sum, { annotations }) => sum + Number.parseInt(annotations.description, 10), 0);
}

async function oneMoreTold(before: number): Promise<void> {
  const startMs = performance.now();
  await eventually('the alert ApiRestarting', async () =>
    (await endsTold()) === before + 1 ? true : undefined,
  );
  figure(`ApiRestarting fires, or says one more, after ${seconds(performance.now() - startMs)}`);
}

describe('under load', () => {
  it(
    'an API that is killed is back within 15 seconds, and the verification names the most that is lost',
    async () => {
      const { RestartCount: restarts } = await inspect(api);
      const told = await endsTold();
      let backMs = Number.POSITIVE_INFINITY;
      const { report, exitCode } = await loadWhile(project, load('--duration', '20s'), async () => {
        await halfwayToTheNextScrape();
        await signal(api, 'KILL');
        backMs = await back(api, restarts, `${metricsUrl}/readyz`);
      });
      expect(backMs).toBeLessThan(BACK_WITHIN_MS);
      expect(exitCode).toBe(1);
      expect(report.verification).toMatchObject({ verdict: 'unverifiable', obstacles: [expect.any(String)] });
      const [obstacle = ''] = report.verification?.obstacles ?? [];
      const [, named] =
        /^\S+ ended without being drained: at most (\d+) requests that it answered after its last scrape are lost$/.exec(
          obstacle,
        ) ?? [];
      // What was answered and is in no counter. Requests whose fate is unknown may be among what is named, and no more.
      const durations =
        report.verification?.rows.filter(({ metric }) => metric === 'http_request_duration_seconds_count') ??
        [];
      const missing = durations.reduce((sum, { atLeast, counted }) => sum + atLeast - counted, 0);
      figure(`${missing} requests lost, at most ${named} named, ${report.phases[0].errors} failed`);
      expect(missing).toBeGreaterThan(0);
      expect(Number(named)).toBeGreaterThanOrEqual(missing);
      expect(Number(named)).toBeLessThanOrEqual(missing + (report.verification?.unknown ?? 0));
      expect(missing).toBeLessThanOrEqual(RATE * (SCRAPE_INTERVAL_SECONDS + 1));
      await oneMoreTold(told);
    },
    faultTimeoutMs,
  );

  it(
    'a Prometheus that is killed is back with all its samples, scrapes, rules and alerts, and the run is verified',
    async () => {
      const { RestartCount: restarts } = await inspect(prometheus);
      const everything = '{__name__=~"http_requests_total|up|job_path_method:http_requests:rate5m"}[1h]';
      let backMs = Number.POSITIVE_INFINITY;
      const { report } = await loadWhile(project, load('--duration', '20s'), async () => {
        await nextScrape(prometheusUrl);
        const at = Date.now() / 1000;
        const before = await samples(everything, at);
        expect(before.length).toBeGreaterThan(10);
        await signal(prometheus, 'KILL');
        backMs = await back(prometheus, restarts, `${prometheusUrl}/-/ready`);
        expect(await samples(everything, at)).toEqual(before);
      });
      expect(backMs).toBeLessThan(BACK_WITHIN_MS);
      figure(outcome(report));
      expect(report.phases[0]).toMatchObject({ errors: 0, dropped: 0 });
      expect(report.verification).toMatchObject({ verdict: 'verified' });
      await nextScrape(prometheusUrl);
      await rulesAreEvaluated();
      const { RestartCount: apiRestarts } = await inspect(api);
      const told = await endsTold();
      await signal(api, 'KILL');
      await back(api, apiRestarts, `${metricsUrl}/readyz`);
      await oneMoreTold(told);
    },
    faultTimeoutMs,
  );

  it(
    'an API that runs out of memory is restarted, an alert says so, and the stack recovers',
    async () => {
      const { RestartCount: restarts } = await inspect(api);
      const told = await endsTold();
      const sinceSeconds = Math.floor(Date.now() / 1000);
      let backMs = Number.POSITIVE_INFINITY;
      await loadWhile(project, load('--duration', '10s', '--no-verify'), async () => {
        // More than the container may have, by processes each of which is smaller than the API: that is the one that is killed.
        const hog = 'node -e "globalThis.hog = Buffer.alloc(2e7, 1); setTimeout(() => {}, 6e4)" & ';
        await docker('exec', api, 'sh', '-c', `${hog.repeat(8)} wait`).catch(() => undefined);
        backMs = await back(api, restarts, `${metricsUrl}/readyz`);
      });
      expect(backMs).toBeLessThan(BACK_WITHIN_MS);
      const events = [
        'events',
        '--since',
        String(sinceSeconds),
        '--until',
        '0s',
        '--filter',
        `container=${api}`,
      ];
      expect(await docker(...events, '--filter', 'event=oom')).toContain('container oom');
      await oneMoreTold(told);
      await eventually('a healthy API', async () =>
        (await inspect(api)).State.Health?.Status === 'healthy' ? true : undefined,
      );
      const { report } = await loadWhile(project, load('--duration', '5s'), async () => {});
      expect(report.verification).toMatchObject({ verdict: 'verified', answered: RATE * 5 });
    },
    faultTimeoutMs,
  );
});

/** Raw samples as they are stored, by series. */
async function samples(selector: string, at: number): Promise<[string, unknown][]> {
  const { data } = await axios.get<{ data: { result: { metric: object; values: unknown[] }[] } }>(
    `${prometheusUrl}/api/v1/query`,
    { params: { query: selector, time: at } },
  );
  const rows = data.data.result.map(({ metric, values }): [string, unknown] => [
    JSON.stringify(metric),
    values,
  ]);
  return rows.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Waits until every group of rules has been evaluated anew, without an error, and what it records is there. */
async function rulesAreEvaluated(): Promise<void> {
  interface Group {
    lastEvaluation: string;
    rules: { health: string }[];
  }
  const sinceMs = Date.now();
  await eventually('the rules', async () => {
    const { data } = await axios.get<{ data: { groups: Group[] } }>(`${prometheusUrl}/api/v1/rules`);
    const isWell = ({ lastEvaluation, rules }: Group) =>
      Date.parse(lastEvaluation) > sinceMs && rules.every(({ health }) => health === 'ok');
    return data.data.groups.length > 3 && data.data.groups.every(isWell) ? true : undefined;
  });
  const recorded = await query(prometheusUrl, 'timestamp(job_path_method:http_requests:rate5m)');
  expect(recorded.filter(({ value }) => value * 1000 > sinceMs - 10_000).length).toBeGreaterThan(3);
}
