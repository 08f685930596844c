// An API that stands still for ten seconds, as on a machine that is out of breath: everybody who waited sees it, and nobody is
// counted twice.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { figure, lasts, samplesOf, seconds, sendWhile, signal } from '../support/faults.ts';
import { eventually, queryValue } from '../support/prometheus-api.ts';
import { type Stack, startStack } from '../support/stack.ts';

const startTimeoutMs = 120_000;
const faultTimeoutMs = 180_000;

const RATE = 50;
const SECONDS = 25;
const STOPPED_MS = 10_000;
/** How long a handler takes, so that requests are in progress when everything stops. */
const LATENCY_MS = 1000;

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ environment: { SIMULATED_LATENCY_MS: String(LATENCY_MS) } });
}, startTimeoutMs);

afterAll(() => stack?.stop());

it(
  'an API that is stopped for 10 s shows it in latency, requests in progress and its event loop, and counts nothing twice',
  async () => {
    const [api] = stack.apis;
    if (!api) throw new Error('expected an API');
    const id = api.container.getId();
    const words = ['--rate', String(RATE), '--duration', `${SECONDS}s`];
    const { report } = await sendWhile(stack, words, async () => {
      await signal(id, 'STOP');
      const stoppedMs = performance.now();
      try {
        await eventually('a scrape that failed', async () =>
          (await queryValue(stack.prometheusUrl, 'up{job="api"}')) === 0 ? true : undefined,
        );
        await lasts(STOPPED_MS - (performance.now() - stoppedMs));
      } finally {
        await signal(id, 'CONT');
      }
      // Those that had entered, and those that waited at the door; polled more often than the new ones take.
      const waiting = RATE * (STOPPED_MS / 1000);
      await eventually('all who waited, in progress', async () => {
        const [inProgress = 0] = await samplesOf(api.metricsUrl, 'inprogress_requests');
        return inProgress >= waiting ? true : undefined;
      });
    });
    const [{ latencyMs, serviceTimeMs, sent, answered, errors }] = report.phases;
    expect({ sent, answered, errors }).toEqual({ sent: RATE * SECONDS, answered: RATE * SECONDS, errors: 0 });
    figure(`latency: mean ${seconds(latencyMs.mean)}, max ${seconds(latencyMs.max)}`);
    figure(`service: mean ${seconds(serviceTimeMs.mean)}, max ${seconds(serviceTimeMs.max)}`);
    // The first of them waited all the time, in both numbers, and half of the requests of that time more than half of it.
    for (const times of [latencyMs, serviceTimeMs]) {
      expect(times.max).toBeGreaterThan(STOPPED_MS);
      expect(times.mean).toBeGreaterThan(LATENCY_MS + ((STOPPED_MS / 2) * STOPPED_MS) / 1000 / SECONDS);
    }
    expect(latencyMs.p99).toBeGreaterThanOrEqual(serviceTimeMs.p99);
    // In progress before it stopped: by the API's own clock they took as long.
    const long = await queryValue(
      stack.prometheusUrl,
      'sum(http_request_duration_seconds_count) - sum(http_request_duration_seconds_bucket{le=~"10(\\\\.0)?"})',
    );
    figure(`${long} requests took more than 10 s by the API's own clock`);
    expect(long).toBeGreaterThan((RATE * LATENCY_MS) / 1000 / 2);
    expect(await queryValue(stack.prometheusUrl, 'nodejs_eventloop_late_seconds_total')).toBeGreaterThan(
      STOPPED_MS / 1000,
    );
    expect(report.verification).toMatchObject({ verdict: 'verified', answered: RATE * SECONDS });
    expect(await queryValue(stack.prometheusUrl, 'inprogress_requests')).toBe(0);
  },
  faultTimeoutMs,
);
