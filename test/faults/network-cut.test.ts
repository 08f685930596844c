// Prometheus loses its network for half a minute, under load: it reports that, and no count is missing afterwards.
import { expect, it } from '@jest/globals';
import { docker } from '../support/command.ts';
import { lasts, loadWhile } from '../support/faults.ts';
import { useStack } from '../support/stack.ts';
import { eventually } from '../support/until.ts';

const RATE = 100;
const SECONDS = 50;
const CUT_MS = 30_000;

const stack = useStack();

/** Queries Prometheus from inside its container: without a network, none of its ports can be reached. */
async function ask(expression: string): Promise<string> {
  const promtool = ['promtool', 'query', 'instant', 'http://127.0.0.1:9090'];
  const { output } = await stack.prometheus.exec([...promtool, expression]);
  return output.trim();
}

const shows = (expression: string, expected: RegExp) =>
  eventually(expression, async () => expected.test(await ask(expression)));

it('a network failure between Prometheus and the API shows as up 0 and a pending alert, and all counts are correct afterwards', async () => {
  const network = stack.network.getId();
  const prometheus = stack.prometheus.getId();
  const words = ['--rate', String(RATE), '--duration', `${SECONDS}s`, '--wait', '60s'];
  const { phase, report } = await loadWhile(stack, words, async () => {
    await docker('network', 'disconnect', network, prometheus);
    const cutMs = performance.now();
    await shows('up{job="api"}', /=> 0 @/);
    await shows('ALERTS{alertname="ApiDown"}', /alertstate="pending"/);
    expect(await ask('up{job="prometheus"}')).toMatch(/=> 1 @/);
    await lasts(CUT_MS - (performance.now() - cutMs));
    await docker('network', 'connect', '--alias', 'prometheus', network, prometheus);
    await shows('up{job="api"}', /=> 1 @/);
    await shows('count(ALERTS{alertname="ApiDown"}) or vector(0)', /=> 0 @/);
  });
  expect(phase).toMatchObject({ sent: RATE * SECONDS, errors: 0, dropped: 0 });
  expect(report.verification).toMatchObject({ verdict: 'verified', answered: RATE * SECONDS });
  expect(await ask('sum(http_requests_total)')).toContain(`=> ${RATE * SECONDS} @`);
});
