/** The start of a worker that is late. */
import { afterEach, expect, it } from '@jest/globals';
import { type FromWorker, type ToWorker, work } from '../src/run/worker.ts';
import { serveHttp, stopServers } from './servers.ts';

afterEach(stopServers);

it.each([
  ['refuses to start late at a time that the user has set', true, { kind: 'failed' }],
  [
    'starts late at a time that the other process has chosen',
    false,
    { kind: 'sent', sent: { state: 'finished' } },
  ],
])('%s', async (_, isFixed, outcome) => {
  const { url: target } = await serveHttp((_request, response) => void response.end());
  const messages: FromWorker[] = [];
  const shard = { index: 1, of: 1 };
  const given: ToWorker[] = [
    {
      kind: 'job',
      job: { target, patterns: [], overrides: { thresholds: [], seed: 1 }, shard, waitMs: 60_000 },
    },
    { kind: 'start', atMs: Date.now() - 5000, isFixed },
  ];
  const channel = {
    send: (message: FromWorker) => void messages.push(message),
    onMessage: (listener: (message: ToWorker) => void) => given.forEach(listener),
  };
  await work(channel, new AbortController().signal);
  expect(messages).toMatchObject([{ kind: 'ready' }, outcome]);
});
