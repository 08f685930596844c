// Processes are killed under load: they restart without help, and their losses are reported.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import axios from 'axios';
import { Prometheus } from 'exact-load/prometheus';
import { docker } from '../support/command.ts';
import { exposed, firing, loadWhile, signal } from '../support/faults.ts';
import { inspect } from '../support/inspect.ts';
import { Project } from '../support/project.ts';
import { nextScrape, query, queryValue, read } from '../support/prometheus.ts';
import { eventually } from '../support/until.ts';

const RATE = 100;
const DURATIONS = 'http_request_duration_seconds_count';

let project: Project;
let prometheusUrl: string;
let metricsUrl: string;
let api: string;
let prometheus: string;

beforeAll(async () => {
  project = await Project.create('killed');
  ({ prometheusUrl, metricsUrl } = project);
  await project.up();
  api = await project.container('api');
  prometheus = await project.container('prometheus');
});

afterAll(() => project.remove());

const loadFor = (duration: string, breakIt: () => Promise<void>, ...words: string[]) =>
  loadWhile(project, ['--rate', String(RATE), '--duration', duration, ...words], breakIt);

/** Requests that are certainly lost, if twice as many were counted: some of those may have had no response yet. */
const MANY = 20;

/** A short timeout, because requests to a killed process may hang, but longer than the generator waits for a core. */
const SHORT_TIMEOUT = ['--timeout', '10s'];

/** Kills a container's process and waits until it has restarted and answers. */
async function isBackAfter(kill: () => Promise<unknown>, container: string, url: string): Promise<void> {
  const { RestartCount: restarts } = await inspect(container);
  await kill();
  await eventually(`an answer of ${url}`, async () => {
    if ((await inspect(container)).RestartCount === restarts) return false;
    return (await axios.get(url)).status === 200;
  });
}

const killApi = () => isBackAfter(() => signal(api, 'KILL'), api, `${metricsUrl}/readyz`);

/** The number of ends without a drain in the alert about them; 0 if it does not fire. */
async function reportedEnds(): Promise<number> {
  const alerts = await firing(prometheusUrl, 'ApiRestarting');
  return alerts.reduce(
    (sum, { annotations }) =>
      sum + Number(/ in the last ten minutes: (\d+)\./.exec(annotations.description)?.[1]),
    0,
  );
}

async function expectOneMore(before: number): Promise<void> {
  await eventually('the alert ApiRestarting', async () => (await reportedEnds()) === before + 1);
}

it('an API that is killed restarts, and the verification reports the maximum loss', async () => {
  const reported = await reportedEnds();
  const counted = () => exposed(metricsUrl, DURATIONS);
  const before = await counted();
  let scraped = 0;
  const { report, exitCode } = await loadFor(
    '20s',
    async () => {
      await nextScrape(prometheusUrl);
      scraped = (await queryValue(prometheusUrl, `sum(${DURATIONS})`)) - before;
      // Creates counts that no scrape can contain.
      await signal(prometheus, 'STOP');
      try {
        const enough = (await counted()) + 2 * MANY;
        await eventually('requests that are not scraped', async () => (await counted()) > enough);
        await killApi();
      } finally {
        await signal(prometheus, 'CONT');
      }
    },
    ...SHORT_TIMEOUT,
  );
  expect(exitCode).toBe(1);
  expect(report.verification).toMatchObject({ verdict: 'unverifiable', obstacles: [expect.any(String)] });
  const { obstacles: [obstacle = ''] = [], rows = [], unknown = 0, answered = 0 } = report.verification ?? {};
  const words =
    /^\S+ ended without being drained: at most (\d+) requests that it answered after its last scrape are lost$/;
  const named = Number(words.exec(obstacle)?.[1]);
  // Answered requests that no counter contains. The list may also include requests with unknown outcome, but no others.
  const durations = rows.filter(({ metric }) => metric === DURATIONS);
  const missing = durations.reduce((sum, { atLeast, counted }) => sum + atLeast - counted, 0);
  expect(missing).toBeGreaterThan(MANY);
  expect(named).toBeGreaterThanOrEqual(missing);
  expect(named).toBeLessThanOrEqual(missing + unknown);
  expect(missing).toBeLessThanOrEqual(answered + unknown - scraped);
  await expectOneMore(reported);
});

it('a Prometheus that is killed restarts with all its samples, scrapes, rules and alerts, and the run is verified', async () => {
  const everything = '{__name__=~"http_requests_total|up|job_path_method:http_requests:rate5m"}[1h]';
  const { report } = await loadFor('20s', async () => {
    await nextScrape(prometheusUrl);
    const at = Date.now() / 1000;
    const before = await samples(everything, at);
    expect(before.length).toBeGreaterThan(10);
    await isBackAfter(() => signal(prometheus, 'KILL'), prometheus, `${prometheusUrl}/-/ready`);
    const after = new Set(await samples(everything, at));
    // A scrape that was in progress may have added some.
    expect(before.filter((sample) => !after.has(sample))).toEqual([]);
  });
  expect(report.phases[0]).toMatchObject({ errors: 0, dropped: 0 });
  expect(report.verification).toMatchObject({ verdict: 'verified' });
  await nextScrape(prometheusUrl);
  await rulesAreEvaluated();
  const reported = await reportedEnds();
  await killApi();
  await expectOneMore(reported);
});

it('an API that runs out of memory restarts, an alert reports it, and the stack recovers', async () => {
  const reported = await reportedEnds();
  const since = String(Math.floor(Date.now() / 1000));
  const exhaustMemory = async () => {
    // Uses more than the container may have, in processes smaller than the API, so that the API is the one to be killed.
    const hog = 'node -e "globalThis.hog = Buffer.alloc(2e7, 1); setTimeout(() => {}, 6e4)" & ';
    await docker('exec', api, 'sh', '-c', `${hog.repeat(8)} wait`).catch(() => undefined);
  };
  await loadFor(
    '10s',
    () => isBackAfter(exhaustMemory, api, `${metricsUrl}/readyz`),
    '--no-verify',
    ...SHORT_TIMEOUT,
  );
  const filters = ['--filter', `container=${api}`, '--filter', 'event=oom'];
  expect(await docker('events', '--since', since, '--until', '0s', ...filters)).toContain('container oom');
  await expectOneMore(reported);
  await eventually('a healthy API', async () => (await inspect(api)).State.Health?.Status === 'healthy');
  const { report } = await loadFor('5s', async () => {});
  expect(report.verification).toMatchObject({ verdict: 'verified', answered: RATE * 5 });
});

/** Raw samples as stored, each with its labels, time and value. */
async function samples(selector: string, atSeconds: number): Promise<string[]> {
  const series = await new Prometheus(prometheusUrl).samples(selector, { atSeconds });
  return series.flatMap(({ labels, points }) => points.map((point) => JSON.stringify([labels, point])));
}

/** Waits until every group of rules has been evaluated again without an error, and its recorded series exist. */
async function rulesAreEvaluated(): Promise<void> {
  interface Group {
    lastEvaluation: string;
    rules: { health: string }[];
  }
  const sinceMs = Date.now();
  await eventually('every group of rules', async () => {
    const { groups } = await read<{ groups: Group[] }>(prometheusUrl, 'rules');
    const isWell = ({ lastEvaluation, rules }: Group) =>
      Date.parse(lastEvaluation) > sinceMs && rules.every(({ health }) => health === 'ok');
    return groups.length > 3 && groups.every(isWell);
  });
  await eventually('recorded series', async () => {
    const recorded = await query(prometheusUrl, 'timestamp(job_path_method:http_requests:rate5m)');
    return recorded.filter(({ value }) => value * 1000 > sinceMs).length > 3;
  });
}
