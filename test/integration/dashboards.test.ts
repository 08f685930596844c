/**
 * The dashboards and the rules against a real Prometheus that scrapes the real API under traffic, with two replicas, one of
 * them a cluster. Every query returns data with the labels of its legend, every selector selects something, every rule is
 * evaluated. In each state of the API no query fails, and the dashboards and Prometheus' own page name the state.
 */
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import { parse } from 'yaml';
import { dashboards } from '../../grafana/src/dashboards.ts';
import { fillVariables, parsePromql, type Selector } from '../../grafana/src/promql.ts';
import { stateQuery, stateWords } from '../../grafana/src/state.ts';
import { docker } from '../support/command.ts';
import { EVERYTHING, panelQueries } from '../support/dashboard-queries.ts';
import { signal } from '../support/faults.ts';
import { query, read } from '../support/prometheus.ts';
import { composeWords, namesIn, read as readText } from '../support/repository.ts';
import { urlOf, useStack } from '../support/stack.ts';
import { eventually } from '../support/until.ts';

interface RuleFile {
  groups: { rules: { record?: string; alert?: string; expr: string }[] }[];
}
interface RuleState {
  name: string;
  health: string;
  lastError?: string;
}

/** Queries that may be empty on a healthy stack, with reasons. All others must return data. */
const MAY_BE_EMPTY = {
  ALERTS: 'on a healthy stack nothing fires',
  prometheus_notifications_errors_total: 'without ALERTS=1 there is no Alertmanager to notify',
  '> 0.001': 'this API has fewer routes than a panel distinguishes, so there is no rest',
  ') - sum(topk(': 'for the same reason',
  'unless on () count(increase(': 'where there are native histograms, the classic ones are not drawn',
};

const labelsIn = (format: string) => [...format.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);

// The same on every dashboard.
const annotations = (dashboards[0]?.annotations?.list ?? []).map(({ name, target, titleFormat = '' }) => ({
  name,
  expr: (target as Dataquery).expr,
  legend: titleFormat,
}));
const rules = namesIn('prometheus/rules').flatMap((file) => {
  const { groups } = parse(readText(`prometheus/rules/${file}`), { merge: true }) as RuleFile;
  return groups.flatMap((group) => group.rules);
});

const mayBeEmpty = (expr: string) => Object.keys(MAY_BE_EMPTY).some((metric) => expr.includes(metric));
const toText = ({ metric, matchers }: Selector) =>
  `${metric}{${matchers.map(({ label, operator, value }) => `${label}${operator}"${value}"`).join(',')}}`;

const stack = useStack({ replicas: 2, lastEnvironment: { API_WORKERS: '2' } });
let traffic: NodeJS.Timeout;

beforeAll(async () => {
  await stack.load('not-found');
  // Light traffic while the tests query rates: a route on every replica, and sometimes a path that does not exist, which must
  // remain a minority, because otherwise NotFoundSurge would fire.
  traffic = setInterval(() => {
    const urls = stack.replicas
      .map((replica) => `${urlOf(replica, 5001)}/products`)
      .concat(`${stack.apiUrl}/none`);
    for (const url of urls) void axios.get(url).catch(() => undefined);
  }, 250);
});

afterAll(() => clearInterval(traffic));

/** The answer to a query once it is not empty; the deadline allows for scrapes and rules every 5 seconds. */
const answer = (expr: string) =>
  eventually(`an answer to ${expr}`, async () => {
    const samples = await query(stack.prometheusUrl, expr);
    return samples.length > 0 && samples.every(({ value }) => Number.isFinite(value)) && samples;
  });

it.each([...panelQueries, ...annotations])(
  '$name is valid, and returns data with the labels of its legend unless it may be empty',
  async ({ expr, legend }) => {
    const asked = fillVariables(expr, EVERYTHING);
    const samples = mayBeEmpty(expr) ? await query(stack.prometheusUrl, asked) : await answer(asked);
    for (const { labels } of samples)
      expect(Object.keys(labels)).toEqual(expect.arrayContaining(labelsIn(legend)));
  },
);

it('Node runtime has one line per process: a replica, or the primary and each worker of a cluster', async () => {
  const perProcess = panelQueries.filter(({ name }) => /^Node runtime .*: \{\{process\}\}/.test(name));
  expect(perProcess.length).toBeGreaterThan(2);
  for (const { expr } of perProcess) {
    // A scrape that fails on a busy machine hides a replica.
    await eventually('four processes', async () => {
      const samples = await query(stack.prometheusUrl, fillVariables(expr, { ...EVERYTHING, job: 'api' }));
      const workers = samples.map(({ labels }) => labels.process?.split(' ')[1]).sort();
      expect(workers).toEqual(['', '1', '2', 'primary']);
      return true;
    });
  }
});

const expectExposed = async (selector: string) =>
  expect((await answer(`count(${selector})`))[0]?.value).toBeGreaterThan(0);

const selectors = new Set(rules.flatMap(({ expr }) => parsePromql(expr)).map(toText));
it.each([...selectors].filter((selector) => !mayBeEmpty(selector)))('%s of a rule is exposed', expectExposed);

const queries = [...readText('docs/runbook.md').matchAll(/```promql\n(.*?)```/gs)].flatMap(([, lines = '']) =>
  lines.trim().split('\n'),
);
// Queries for failures are empty here, but the series that they read exist.
it.each(queries)('%s of the runbook is valid, and its series are exposed', async (expr) => {
  await query(stack.prometheusUrl, expr);
  for (const selector of parsePromql(expr)) if (selector.metric !== '') await expectExposed(toText(selector));
});

describe('rules', () => {
  it('are all loaded and evaluated without errors, and none fires', async () => {
    const states = await eventually('every rule evaluated', async () => {
      const { groups } = await read<{ groups: { rules: RuleState[] }[] }>(stack.prometheusUrl, 'rules');
      const all = groups.flatMap((group) => group.rules);
      return all.every(({ health }) => health !== 'unknown') && all;
    });
    expect(states.map(({ name }) => name).sort()).toEqual(
      rules.map((rule) => rule.record ?? rule.alert).sort(),
    );
    expect(states.filter(({ health, lastError }) => health !== 'ok' || lastError)).toEqual([]);
    // A machine that is busy with other tests may block an event loop and slow down responses.
    const faults = 'ALERTS{alertstate="firing", alertname!="EventLoopBlocked", slo!="latency"}';
    expect(await query(stack.prometheusUrl, faults)).toEqual([]);
  });

  it('compute the failure budget of the service as a whole, independent of the number of replicas', async () => {
    const [availability] = await answer('sum by (slo) (job_slo:requests:rate5m{slo="availability"}) > 0');
    expect(availability?.labels).toEqual({ slo: 'availability' });
    await eventually('all windows', async () => {
      const all = await query(stack.prometheusUrl, 'count by (job) (job_slo_window:error_budget:burn_rate)');
      expect(all).toEqual([{ labels: { job: 'api' }, value: 14 }]);
      return true;
    });
  });
});

it('retains at least as many days as the longest window of the dashboards', () => {
  const [, kept] = /--storage.tsdb.retention.time=(\d+)d/.exec(composeWords('prometheus').join(' ')) ?? [];
  const windows = panelQueries.flatMap(({ expr }) =>
    parsePromql(fillVariables(expr, EVERYTHING)).flatMap(({ range }) => range ?? []),
  );
  const days = windows.flatMap((range) => (range.endsWith('d') ? [Number.parseInt(range, 10)] : []));
  expect(Number(kept)).toBeGreaterThanOrEqual(Math.max(...days));
});

/** Grafana's values of the variable `job`: the jobs with requests, so not Prometheus itself. */
const CHOSEN = { ...EVERYTHING, job: 'api' };
const secondsAhead = (seconds: number) => Date.now() / 1000 + seconds;

/** The panel's state on a computer whose clock is ahead. */
async function shownState(ahead = 0): Promise<string> {
  const found = await query(stack.prometheusUrl, fillVariables(stateQuery, CHOSEN), secondsAhead(ahead));
  return found.map(({ value }) => stateWords[value]?.text ?? `no words for ${value}`).join() || 'no answer';
}

async function page(): Promise<{ html: string; state: string }> {
  const { data: html } = await axios.get<string>(`${stack.prometheusUrl}/consoles/index.html`);
  const [, state = ''] = /id="state">(.*?)<\/p>/s.exec(html) ?? [];
  return { html, state: state.replace(/<[^>]+>/g, '').trim() };
}

async function expectAnswers(ahead = 0): Promise<void> {
  for (const { name, expr } of panelQueries) {
    // An error would be a status of 400 or more.
    const samples = await query(stack.prometheusUrl, fillVariables(expr, CHOSEN), secondsAhead(ahead));
    const wrong = samples.filter(({ value }) => !Number.isFinite(value));
    expect({ name, wrong }).toEqual({ name, wrong: [] });
  }
}

/** The state is shown for half a minute from the start of the processes, of which the discovery of the replicas may take most. */
async function restartKnown(): Promise<void> {
  await onReplicas('start');
  await eventually('both replicas', async () => {
    const [up] = await query(stack.prometheusUrl, 'sum(up{job="api"})');
    return up?.value === 2;
  });
  clearInterval(traffic);
  // Otherwise the discovery might miss a replica once more.
  await signal(stack.prometheus.getId(), 'STOP');
  await onReplicas('kill');
  await onReplicas('start');
  await signal(stack.prometheus.getId(), 'CONT');
}

const onReplicas = (command: string) => docker(command, ...stack.replicas.map((replica) => replica.getId()));

/** Not `docker pause`, which may fail on a busy machine. */
const stopReplica = (n: number) => signal(stack.replicas[n]?.getId() ?? '', 'STOP');

// In this order, because each begins where the previous one has ended.
it.each([
  ['Serving', /^Serving [\d.m]+ requests per second\.$/, async () => undefined],
  [
    'Degraded: a replica fails its scrapes',
    /^Degraded: 1 of 2 replicas fail their scrapes\.$/,
    () => stopReplica(0),
  ],
  ['Down: no replica answers scrapes', /^Down: no replica answers scrapes\.$/, () => stopReplica(1)],
  ['Unknown: no API is scraped', /^Unknown: Prometheus finds no API to scrape\.$/, () => onReplicas('kill')],
  ['Just started: rates need a few scrapes', /^Just started: rates need a few scrapes\.$/, restartKnown],
  ['Idle: no requests', /^Idle: no requests in the last minute\.$/, async () => undefined],
])('the state is shown as "%s", and no query fails', async (words, pageWords, reach) => {
  await reach();
  await eventually(
    `the state "${words}"`,
    async () => (await shownState()) === words && pageWords.test((await page()).state),
  );
  if (words.startsWith('Down'))
    expect((await page()).html).toMatch(/<b class="state bad"><a href="[^"]+">down</);
  await expectAnswers();
});

it('with a clock that is half a minute ahead, most panels show a dash, and the state shows the reason', async () => {
  expect(await query(stack.prometheusUrl, 'sum(http_requests_total)', secondsAhead(30))).toEqual([]);
  expect(await shownState(30)).toBe('No recent sample: is your clock ahead?');
  await expectAnswers(30);
});
