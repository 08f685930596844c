/** docs/instrument-your-app.md does what it says: its code is run, its requests are sent, its output is compared. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { freePort } from '../../test/support/free-port.ts';
import { blockOf } from '../../test/support/markdown.ts';
import { until } from '../../test/support/until.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const guide = readFileSync(path('../../docs/instrument-your-app.md'), 'utf8');

let folder: string;
let server: ChildProcess | undefined;
let ports: { api: number; metrics: number };
let stderr = '';

beforeAll(async () => {
  // Below the workspace, so that its packages are found; git ignores the name.
  folder = mkdtempSync(path('../dist-guide-'));
  ports = { api: await freePort(), metrics: await freePort() };
  const code = blockOf(guide, 'js', 'instrument')
    .replace('3000', String(ports.api))
    .replace('8000', String(ports.metrics));
  writeFileSync(`${folder}/server.mjs`, code);
  server = spawn(process.execPath, [`${folder}/server.mjs`], { stdio: ['ignore', 'ignore', 'pipe'] });
  server.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  await until(
    () => `the guide's server to listen; it wrote: ${stderr}`,
    () =>
      fetch(`http://localhost:${ports.metrics}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      ),
  );
}, 20_000);

afterAll(() => {
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

it('exposes exactly what the guide shows', async () => {
  for (const [, method = 'GET', url = ''] of blockOf(guide, 'sh', 'curl').matchAll(
    /^curl (?:-X (\w+) )?(\S+)$/gm,
  )) {
    await (await fetch(url.replace(':3000', `:${ports.api}`), { method })).text();
  }
  const shown = blockOf(guide, 'text', 'http_requests_total').trim().split('\n');
  expect(shown.length).toBeGreaterThan(9);
  const exposed = (await (await fetch(`http://localhost:${ports.metrics}`)).text()).split('\n');
  expect(exposed).toEqual(expect.arrayContaining(shown));
});
