/** For 40 seconds and until 400 scrapes have been compared, a cluster of four loses a worker every two seconds, at 500 requests a second. */
import { afterEach, it, jest } from '@jest/globals';
import { expectLossWithinBound, expectNothingLost, killWorkers } from '../kill-workers.ts';
import { start, stopAll } from '../several.ts';

// Only for a test that hangs: a busy machine needs minutes for this many scrapes.
jest.setTimeout(900_000);

afterEach(stopAll);

const LONG = { seconds: 40, everyMs: 2_000, perSecond: 500, scrapes: 400 };

it('counts each request once when workers end by SIGTERM', async () => {
  const server = await start('cluster', { WORKERS: '4', ON_SIGTERM: 'disconnect' });
  const result = await killWorkers(server, { ...LONG, signals: ['SIGTERM'] });
  expectNothingLost(result);
});

it('misses no more than it exposes as lost when every other worker is killed', async () => {
  const server = await start('cluster', { WORKERS: '4', ON_SIGTERM: 'disconnect' });
  const result = await killWorkers(server, { ...LONG, signals: ['SIGKILL', 'SIGTERM'] });
  expectLossWithinBound(result);
});
