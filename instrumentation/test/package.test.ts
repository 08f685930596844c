/** The package as users get it: packed, checked, installed into new projects, and used as in its README. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../../test/support/free-port.ts';
import { blockOf } from '../../test/support/markdown.ts';
import { filesIn, itIsPublishable, pack } from '../../test/support/packed.ts';
import { until } from '../../test/support/until.ts';

const run = promisify(execFile);
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const root = path('../..');
const packageFolder = path('..');

let folder: string;
let tarball: string;

beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/express-exact-metrics-`);
  [tarball] = await pack(packageFolder, folder);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** The packages that a project installs next to this one. The alias is for code that still imports the old name. */
const CLIENTS: Readonly<Record<string, readonly string[]>> = {
  '@prometheus-io/client': ['@prometheus-io/client@^0.16.0'],
  'prom-client': ['prom-client@^15.1.0'],
  'both clients': ['@prometheus-io/client@^0.16.0', 'prom-client@^15.1.0'],
  'prom-client as an alias of @prometheus-io/client': ['prom-client@npm:@prometheus-io/client@^0.16.0'],
  'no client': [],
};

/** Copies a project and installs packages from npm's cache or registry, without `--force`. */
async function install(name: string, clients: string, more: readonly string[] = []): Promise<string> {
  const project = await mkdtemp(`${folder}/${name}-`);
  await cp(path(`./project-setups/${name}`), project, { recursive: true });
  const isTypescript = name.startsWith('typescript');
  if (isTypescript) await cp(path('./project-setups/typescript'), project, { recursive: true, force: false });
  const types = isTypescript ? ['@types/express@5', '@types/node@24'] : [];
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts'];
  const packages = [tarball, 'express@5', ...(CLIENTS[clients] ?? []), ...types, ...more];
  await run('npm', ['install', ...flags, ...packages], { cwd: project });
  return project;
}

/** Why npm cannot install packages; undefined if it can. */
const noRegistry = await run('npm', ['view', 'express', 'version', '--fetch-retries', '1']).then(
  () => undefined,
  ({ stderr }: { stderr: string }) => stderr.split('\n')[0],
);
if (noRegistry) console.warn(`left out: projects that install the package (npm view: ${noRegistry})`);
const whereNpmInstalls = noRegistry ? describe.skip : describe;

/** Skips the clients that do not support this version of Node. */
const supported = ([, clients]: readonly [project: string, clients: string]) =>
  clients === 'prom-client' || !process.version.startsWith('v20.');

const readme = readFileSync(`${packageFolder}/README.md`, 'utf8');
const manifest = JSON.parse(readFileSync(`${packageFolder}/package.json`, 'utf8'));

describe('the tarball', () => {
  it('contains only files that users need', async () => {
    const files = await filesIn(tarball);
    const needed =
      /^(dist\/(esm|cjs)\/.*\.(js|d\.ts)|dist\/(esm|cjs)\/load-peer\.(cjs|d\.cts)|(dist\/cjs\/)?package\.json|(README|CHANGELOG)\.md|LICENSE)$/;
    expect(files.filter((file) => !needed.test(file))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['dist/esm/index.js', 'dist/cjs/index.d.ts', 'LICENSE']));
    expect(manifest).not.toHaveProperty('dependencies');
  });

  itIsPublishable('instrumentation', () => tarball);
});

const CASES: (readonly [project: string, clients: string])[] = [
  ['javascript-esm', '@prometheus-io/client'],
  ['javascript-esm', 'both clients'],
  ['javascript-cjs', 'prom-client'],
  ['typescript-nodenext', '@prometheus-io/client'],
  ['typescript-nodenext', 'both clients'],
  ['typescript-bundler', 'prom-client'],
  ['typescript-cjs', 'prom-client as an alias of @prometheus-io/client'],
];

whereNpmInstalls('a project', () => {
  it.each(CASES.filter(supported))('runs the example of the README: %s, with %s', async (name, clients) => {
    const project = await install(name, clients);
    const ports = { app: await freePort(), metrics: await freePort() };
    let code = blockOf(readme, 'js', 'metrics.listen')
      .replace('3000', String(ports.app))
      .replace('8000', String(ports.metrics));
    if (name === 'javascript-cjs')
      code = code.replace(/^import (.*) from ('.*');$/gm, 'const $1 = require($2);');
    const isTypescript = name.startsWith('typescript');
    await writeFile(`${project}/server.${isTypescript ? 'ts' : 'js'}`, code);
    if (isTypescript) await compile(project, clients);
    const server = spawn(process.execPath, [isTypescript ? 'dist/server.js' : 'server.js'], {
      cwd: project,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    try {
      const get = (port: number, target: string) => fetch(`http://127.0.0.1:${port}${target}`);
      await until('the example to listen', () =>
        get(ports.metrics, '/healthz').then(
          ({ ok }) => ok,
          () => false,
        ),
      );
      expect(await (await get(ports.app, '/users/7')).json()).toEqual({ id: '7' });
      const exposed = (await (await get(ports.metrics, '/metrics')).text()).split('\n');
      expect(exposed).toEqual(
        expect.arrayContaining(blockOf(readme, 'text', 'http_requests_total').trim().split('\n')),
      );
    } finally {
      server.kill();
      await once(server, 'exit');
    }
  });

  it.each([11, 12])('with NestJS %i counts by the templates of its controllers', async (major) => {
    const nest = ['common', 'core', 'platform-express'].map((name) => `@nestjs/${name}@${major}`);
    const packages = [...nest, 'reflect-metadata@0.2', 'rxjs@7'];
    const project = await install('nestjs', 'prom-client', packages);
    const { stdout } = await run(process.execPath, ['server.js'], { cwd: project });
    expect(JSON.parse(stdout).sort()).toEqual([
      'get /cats/:id 200: 2',
      'get /cats/:id 404: 1',
      'get unmatched 404: 1',
      'post /cats 201: 1',
    ]);
  });

  it('throws an error that names the packages to install if there is no client', async () => {
    const project = await install('javascript-esm', 'no client');
    const code =
      "import express from 'express'; import { instrument } from 'express-exact-metrics'; instrument(express());";
    await writeFile(`${project}/server.js`, code);
    await expect(run(process.execPath, ['server.js'], { cwd: project })).rejects.toThrow(
      'instrument: expected a client library, got none installed: npm install @prometheus-io/client (or prom-client 15)',
    );
  });
});

/** Compiles `server.ts`, `options.ts` and, with both clients, `both.ts`, with the project's configuration and client library. */
async function compile(project: string, clients: string): Promise<void> {
  const library = clients.startsWith('prom-client') ? 'prom-client' : '@prometheus-io/client';
  const options = await readFile(`${project}/options.ts`, 'utf8');
  await writeFile(`${project}/options.ts`, options.replace('@prometheus-io/client', library));
  if (clients === 'both clients') {
    const config = await readFile(`${project}/tsconfig.json`, 'utf8');
    await writeFile(`${project}/tsconfig.json`, config.replace('"options.ts"', '"both.ts", "options.ts"'));
  }
  await run(`${root}/node_modules/.bin/tsc`, ['-p', '.'], { cwd: project });
}
