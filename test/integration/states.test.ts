/**
 * Idle, serving, hanging, gone, just started, and seen from a computer whose clock is ahead: in each state every query of every
 * panel is answered without an error, the state is said in words on the dashboards and on Prometheus' own page.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import axios from 'axios';
import { fillVariables } from '../../grafana/src/promql.ts';
import { stateQuery, stateWords } from '../../grafana/src/state.ts';
import { docker } from '../support/command.ts';
import { EVERYTHING, panelQueries } from '../support/dashboard-queries.ts';
import { query } from '../support/prometheus.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { eventually } from '../support/until.ts';

/** What Grafana finds for the variable `job`: the jobs that have requests, so not Prometheus itself. */
const CHOSEN = { ...EVERYTHING, job: 'api' };

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});

afterAll(() => stack?.stop());

/** What the panel shows; `aheadSeconds` is by how much the clock of who looks is ahead. */
async function shownState(aheadSeconds = 0): Promise<string> {
  const at = Date.now() / 1000 + aheadSeconds;
  const [sample, ...others] = await query(stack.prometheusUrl, fillVariables(stateQuery, CHOSEN), at);
  expect(others).toEqual([]);
  return sample ? (stateWords[sample.value]?.text ?? `no words for ${sample.value}`) : 'no answer';
}

async function page(): Promise<string> {
  const { data } = await axios.get<string>(`${stack.prometheusUrl}/consoles/index.html`);
  return data.replace(/<style>.*?<\/style>/s, '');
}

const onPage = (html: string) =>
  (/id="state">(.*?)<\/p>/s.exec(html)?.[1] ?? '').replace(/<[^>]+>/g, '').trim();

/** Waits until both say so, then asks what every panel asks. */
async function expectState(words: string, pageWords: RegExp): Promise<void> {
  await eventually(
    `the state "${words}"`,
    async () => (await shownState()) === words && pageWords.test(onPage(await page())),
  );
  await expectAnswers();
}

async function expectAnswers(aheadSeconds = 0): Promise<void> {
  const at = Date.now() / 1000 + aheadSeconds;
  for (const { name, expr } of panelQueries) {
    // An error would be a status of 400 or more.
    const samples = await query(stack.prometheusUrl, fillVariables(expr, CHOSEN), at);
    const wrong = samples.filter(({ value }) => !Number.isFinite(value));
    expect({ name, wrong }).toEqual({ name, wrong: [] });
  }
}

// One after the other, in this order.
it('idle', () => expectState('Idle: nothing is asked', /^Idle: nothing was asked in the last minute\.$/));

it('serving', async () => {
  const asking = setInterval(() => {
    void axios.get(`${stack.apiUrl}/products`).catch(() => undefined);
  }, 100);
  try {
    await expectState('Serving', /^Serving [\d.m]+ requests a second\.$/);
  } finally {
    clearInterval(asking);
  }
});

it('seen by a clock that is half a minute ahead: a dash in most panels, and the reason in words', async () => {
  const ahead = Date.now() / 1000 + 30;
  expect(await query(stack.prometheusUrl, 'sum(http_requests_total)', ahead)).toEqual([]);
  expect(await shownState(30)).toBe('No fresh sample: is this clock ahead?');
  await expectAnswers(30);
});

it('down: it hangs', async () => {
  const id = stack.api.getId();
  await docker('pause', id);
  try {
    await expectState('Down: no replica answers scrapes', /^Down: no replica answers its scrapes\.$/);
    expect(await page()).toContain('<b class="state bad">down</b>');
  } finally {
    await docker('unpause', id);
  }
});

it('gone: its name has no address', async () => {
  await docker('stop', stack.api.getId());
  await expectState('Not known: no API is scraped', /^Unknown: Prometheus finds no API to scrape\.$/);
});

it('just started', async () => {
  await docker('start', stack.api.getId());
  await expectState('Just started: rates need some scrapes', /^Just started: rates need some scrapes\.$/);
});
