/** The process itself: what only it can show, which is signals, streams and the exit code. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, it } from '@jest/globals';
import { closedPort, serveHttp, type TestServer, until } from './servers.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

function start(args: readonly string[]) {
  const main = new URL('../src/main.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    output.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.err += chunk;
  });
  const ended = once(child, 'close').then(([code]) => ({ code, ...output }));
  return { child, ended };
}

it('drains at the first Ctrl-C, shows what was done and exits with 130', async () => {
  let requests = 0;
  const server = await serveHttp((_request, response) => {
    requests++;
    setTimeout(() => response.end('ok'), 20);
  });
  servers.push(server);
  const { child, ended } = start(['run', 'steady', '--target', server.url]);
  await until('the run is under way', () => requests > 5);
  child.kill('SIGINT');
  const { code, out, err } = await ended;
  expect(code).toBe(130);
  expect(out).toMatch(new RegExp(`^steady: ${requests} requests sent in `));
  expect(out).toContain('interrupted: the rest was not sent');
  expect(err).toBe('stopping: waiting for what is in flight (again to stop at once)\n');
}, 20_000);

it('exits at once at the second Ctrl-C', async () => {
  let requests = 0;
  const server = await serveHttp(() => requests++);
  servers.push(server);
  const { child, ended } = start(['run', 'hundred', '--target', server.url]);
  await until('requests wait for an answer', () => requests === 10);
  child.kill('SIGINT');
  await until('the signal was taken', async () => {
    child.kill('SIGINT');
    return child.exitCode !== null;
  });
  expect(await ended).toMatchObject({ code: 130, out: '' });
}, 20_000);

it('exits with the code of the contract and one line of cause', async () => {
  const url = `http://127.0.0.1:${await closedPort()}`;
  const { code, out, err } = await start(['run', '--target', url, '--wait', '50ms', '--quiet']).ended;
  expect([code, out]).toEqual([3, '']);
  expect(err).toMatch(
    /^loadgen: http:\/\/127.* did not accept a connection within 0.05 s: connect ECONNREFUSED [\d.:]+\n$/,
  );
}, 20_000);
