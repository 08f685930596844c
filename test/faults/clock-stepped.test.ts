// The wall clock is set an hour forward, two back and right again, under load. No machine lets a test do that, so a library
// between the API and the kernel does it to the API alone; its clock for durations is another, as on every machine.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import axios from 'axios';
import { docker } from '../support/command.ts';
import { figure, sendWhile } from '../support/faults.ts';
import { nextScrape, queryValue } from '../support/prometheus.ts';
import { ownImage, repositoryRoot, settingOf } from '../support/repository.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { eventually } from '../support/until.ts';

const RATE = 100;
const SECONDS = 40;
const LATENCY_SECONDS = 0.05;
const HOUR_MS = 3_600_000;

const IMAGE = `${ownImage('app')}-faketime`;

let stack: Stack;

// The image stays, as the others built here do.
beforeAll(async () => {
  const build = ['NODE_IMAGE', 'IMAGE'].flatMap((name) => [
    '--build-arg',
    `${name}=${name === 'IMAGE' ? ownImage('app') : settingOf(name)}`,
  ]);
  await docker('build', '--quiet', ...build, '--tag', IMAGE, `${repositoryRoot}/test/images/faketime`);
  stack = await startStack({
    apiImage: IMAGE,
    environment: { SIMULATED_LATENCY_MS: String(LATENCY_SECONDS * 1000) },
  });
});

afterAll(() => stack?.stop());

it('a clock of the day that is stepped by an hour leaves all durations right, and each request counted once', async () => {
  const { metricsUrl, container } = stack.api;
  const words = ['--rate', String(RATE), '--duration', `${SECONDS}s`];
  const { phases, verification } = await sendWhile(stack, words, async () => {
    for (const hours of [1, -1, 0]) {
      const setClock = `echo '${hours < 0 ? '' : '+'}${hours}h' >/dev/shm/clock`;
      await docker('exec', container.getId(), 'sh', '-c', setClock);
      // The API's own process tells its time in each answer.
      await eventually(`a clock that is ${hours} h ahead`, async () => {
        const { headers } = await axios.get(`${metricsUrl}/healthz`);
        const aheadMs = Date.parse(String(headers.date)) - Date.now();
        return Math.abs(aheadMs - hours * HOUR_MS) < 60_000;
      });
      await nextScrape(stack.prometheusUrl);
    }
  });
  const [{ sent, errors, serviceTimeMs }] = phases;
  const requests = RATE * SECONDS;
  expect({ sent, errors }).toEqual({ sent: requests, errors: 0 });
  expect(verification).toMatchObject({ verdict: 'verified', answered: requests });
  const counted = (selector: string) =>
    queryValue(stack.prometheusUrl, `sum(http_request_duration_seconds_${selector})`);
  expect(await counted('count')).toBe(requests);
  // None shorter than its handler takes, negative ones included; none longer than the generator has seen it take.
  expect(await counted('bucket{le="0.025"}')).toBe(0);
  expect(await counted('bucket{le=~"10(\\\\.0)?"}')).toBe(requests);
  const meanSeconds = (await counted('sum')) / requests;
  figure(
    `mean ${(meanSeconds * 1000).toFixed(1)} ms by the API, ${serviceTimeMs.mean.toFixed(1)} ms by the generator`,
  );
  expect(meanSeconds).toBeGreaterThan(LATENCY_SECONDS * 0.98);
  expect(meanSeconds).toBeLessThan(serviceTimeMs.mean / 1000 + 0.01);
  expect(
    await queryValue(stack.prometheusUrl, 'min(http_request_duration_seconds_sum) >= 0'),
  ).toBeGreaterThanOrEqual(0);
});
