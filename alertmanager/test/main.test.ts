import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';

const main = fileURLToPath(new URL('../receiver/main.mjs', import.meta.url));
const runbook = fileURLToPath(new URL('../../docs/runbook.md', import.meta.url));

const start = (words: string[], port: string) =>
  spawn(process.execPath, [main, ...words], {
    env: { ALERT_RECEIVER_PORT: port },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  const [chunk] = (await once(stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return chunk.toString();
}

it("serves this repository's runbook on the port that it names, and ends with status 0 on SIGTERM", async () => {
  const receiver = start([runbook], '0');
  const exited = once(receiver, 'exit');
  const [, port] = /^alerts are shown on port (\d+)\n$/.exec(await firstLine(receiver)) ?? [];
  const shown = await (await fetch(`http://127.0.0.1:${port}/docs/runbook.md`)).text();
  expect(shown).toContain('<section id="errorbudgetburn">');
  receiver.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

it.each([
  ['without a runbook', [], '0'],
  ['with a port that is none', [runbook], '70000'],
  ['with a port that is no number', [runbook], 'http'],
])('says how it is used and ends with status 2 %s', async (_how, words, port) => {
  const receiver = start(words, port);
  const [[message], [status]] = await Promise.all([
    once(receiver.stderr as NodeJS.ReadableStream, 'data'),
    once(receiver, 'exit'),
  ]);
  expect({ status, message: String(message) }).toEqual({
    status: 2,
    message: expect.stringMatching(/^usage: /),
  });
});
