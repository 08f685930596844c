// The API is stopped for ten seconds, as on an overloaded machine: all waiting clients are delayed, and no request counts twice.
import { expect, it } from '@jest/globals';
import { exposed, lasts, loadWhile, signal } from '../support/faults.ts';
import { queryValue } from '../support/prometheus.ts';
import { useStack } from '../support/stack.ts';
import { eventually } from '../support/until.ts';

const RATE = 50;
const SECONDS = 30;
const STOPPED_MS = 10_000;
/** How long a handler takes, so that requests are in progress when everything stops, and long enough afterwards to be seen. */
const LATENCY_MS = 4000;

const stack = useStack({ environment: { SIMULATED_LATENCY_MS: String(LATENCY_MS) } });

it('a stop of the API for 10 s shows in its latency, requests in progress and event loop lag, and no request is counted twice', async () => {
  const id = stack.api.getId();
  // On a busy machine it takes long to continue the process.
  const words = ['--rate', String(RATE), '--duration', `${SECONDS}s`, '--timeout', '2m'];
  const { report, phase } = await loadWhile(stack, words, async () => {
    // Waiting requests enter together; on a busy machine the first may leave before the last has arrived.
    const usual = RATE * (LATENCY_MS / 1000);
    const inProgress = () => exposed(stack.metricsUrl, 'inprogress_requests');
    await signal(id, 'STOP');
    const stoppedMs = performance.now();
    try {
      const up = () => queryValue(stack.prometheusUrl, 'up{job="api"}');
      await eventually('a scrape that failed', async () => (await up()) === 0);
      await lasts(STOPPED_MS - (performance.now() - stoppedMs));
    } finally {
      // At the same time, because the requests may have left when the command that sends the signal ends.
      const isMany = async () => (await inProgress()) > 2 * usual;
      await Promise.all([signal(id, 'CONT'), eventually('many in progress', isMany)]);
    }
  });
  const { latencyMs, serviceTimeMs, sent, answered, errors } = phase;
  expect({ sent, answered, errors }).toEqual({ sent: RATE * SECONDS, answered: RATE * SECONDS, errors: 0 });
  if (latencyMs === null || serviceTimeMs === null) throw new Error('nothing was answered');
  // The first waited the whole time, in both numbers, and half of that time's requests more than half of it.
  for (const times of [latencyMs, serviceTimeMs]) {
    expect(times.max).toBeGreaterThan(STOPPED_MS);
    expect(times.mean).toBeGreaterThan(LATENCY_MS + ((STOPPED_MS / 2) * STOPPED_MS) / 1000 / SECONDS);
  }
  expect(latencyMs.p99).toBeGreaterThanOrEqual(serviceTimeMs.p99);
  // Requests in progress before the stop took as long by the API's own clock.
  const long = await queryValue(
    stack.prometheusUrl,
    'sum(http_request_duration_seconds_count) - sum(http_request_duration_seconds_bucket{le=~"10(\\\\.0)?"})',
  );
  expect(long).toBeGreaterThan((RATE * LATENCY_MS) / 1000 / 2);
  expect(await queryValue(stack.prometheusUrl, 'nodejs_eventloop_late_seconds_total')).toBeGreaterThan(
    STOPPED_MS / 1000,
  );
  expect(report.verification).toMatchObject({ verdict: 'verified', answered: RATE * SECONDS });
  expect(await queryValue(stack.prometheusUrl, 'inprogress_requests')).toBe(0);
});
