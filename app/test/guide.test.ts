/** docs/instrument-your-app.md does what it says: its code is run, its requests are sent, its output is compared. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { until } from '../../testing/until.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const guide = readFileSync(path('../../docs/instrument-your-app.md'), 'utf8');

/** The first block of `language` that contains `text`. */
function block(language: string, text: string): string {
  const blocks = [...guide.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  const found = blocks.find(([, tag, body]) => tag === language && body?.includes(text));
  if (!found?.[2]) throw new Error(`the guide has no ${language} block with ${text}`);
  return found[2];
}

let folder: string;
let server: ChildProcess | undefined;
let ports: { api: number; metrics: number };
let stderr = '';

beforeAll(async () => {
  // Below the workspace, so that its packages are found; `dist` is ignored by git.
  mkdirSync(path('../dist'), { recursive: true });
  folder = mkdtempSync(path('../dist/guide-'));
  cpSync(path('../src/instrumentation'), `${folder}/instrumentation`, { recursive: true });
  writeFileSync(`${folder}/server.ts`, block('ts', 'createServer'));
  ports = { api: await freePort(), metrics: await freePort() };
  server = spawn(process.execPath, [`${folder}/server.ts`], {
    env: { PORT: String(ports.api), METRICS_PORT: String(ports.metrics) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  server.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  // The guide's second server listens after its first, so this is enough, and not counted.
  await until(
    () => `the guide's server to listen; it wrote: ${stderr}`,
    () =>
      fetch(`http://localhost:${ports.metrics}`).then(
        () => true,
        () => false,
      ),
  );
}, 20_000);

afterAll(() => {
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0);
  await until('a free port', () => probe.listening);
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

it('exposes exactly what the guide shows', async () => {
  for (const [, method = 'GET', url = ''] of block('sh', 'curl').matchAll(/^curl (?:-X (\w+) )?(\S+)$/gm)) {
    await (await fetch(url.replace(':3000', `:${ports.api}`), { method })).text();
  }
  const shown = block('text', 'http_requests_total').trim().split('\n');
  expect(shown.length).toBeGreaterThan(10);
  const exposed = (await (await fetch(`http://localhost:${ports.metrics}`)).text()).split('\n');
  expect(exposed).toEqual(expect.arrayContaining(shown));
});
