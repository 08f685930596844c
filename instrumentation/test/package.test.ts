/** The package as strangers get it: packed, checked, installed into projects of their own, and used as its README says. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { freePort } from '../../test/support/free-port.ts';
import { blockOf } from '../../test/support/markdown.ts';
import { filesIn, installTarballs, lintTarball, pack, typeProblemsOf } from '../../test/support/packed.ts';
import { until } from '../../test/support/until.ts';

jest.setTimeout(120_000);

const run = promisify(execFile);
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const root = path('../..');
const packageFolder = path('..');

/** What a tarball may weigh; it is stated in the README. */
const MAX_TARBALL_BYTES = 78_000;

let folder: string;
let tarball: string;
let tarballsOfDependencies: string[];

beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/express-exact-metrics-`);
  [tarball = '', ...tarballsOfDependencies] = await pack(packageFolder, folder);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** A copy of a project, with the tarball installed and, from this repository, what the project brings itself. */
async function install(name: string): Promise<string> {
  const project = `${folder}/${name}`;
  await cp(path(`./project-setups/${name}`), project, { recursive: true });
  if (name.startsWith('typescript'))
    await cp(path('./project-setups/typescript'), project, { recursive: true });
  // Without the peers, which are linked.
  await installTarballs(project, [tarball, ...tarballsOfDependencies], '--legacy-peer-deps');
  await mkdir(`${project}/node_modules/@types`, { recursive: true });
  for (const id of ['express', 'prom-client', '@types/express', '@types/node']) {
    await symlink(`${root}/node_modules/${id}`, `${project}/node_modules/${id}`);
  }
  return project;
}

const readme = readFileSync(`${packageFolder}/README.md`, 'utf8');

describe('the tarball', () => {
  it('holds what is needed and nothing else, and is small', async () => {
    const files = await filesIn(tarball);
    const needed =
      /^(dist\/(esm|cjs)\/.*\.(js|d\.ts)|(dist\/cjs\/)?package\.json|(README|CHANGELOG)\.md|LICENSE)$/;
    expect(files.filter((file) => !needed.test(file))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['dist/esm/index.js', 'dist/cjs/index.d.ts', 'LICENSE']));
    expect((await stat(tarball)).size).toBeLessThan(MAX_TARBALL_BYTES);
  });

  it('has nothing that publint would warn of', async () => {
    expect(await lintTarball(tarball)).toEqual([]);
  });

  it('has types that every way of resolving them finds, and that are true', async () => {
    expect(await typeProblemsOf(tarball)).toEqual([]);
  });
});

describe('a project', () => {
  it.each(['javascript-esm', 'typescript-nodenext', 'javascript-cjs', 'typescript-cjs'])(
    'runs the example of the README: %s',
    async (name) => {
      const project = await install(name);
      const ports = { app: await freePort(), metrics: await freePort() };
      let code = blockOf(readme, 'js', 'metrics.listen')
        .replace('3000', String(ports.app))
        .replace('8000', String(ports.metrics));
      if (name === 'javascript-cjs')
        code = code.replace(/^import (.*) from ('.*');$/gm, 'const $1 = require($2);');
      const isTypescript = name.startsWith('typescript');
      await writeFile(`${project}/server.${isTypescript ? 'ts' : 'js'}`, code);
      if (isTypescript) await compile(project);
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
    },
  );
});

/** Compiles `server.ts` and `options.ts` as the project's configuration says. */
async function compile(project: string): Promise<void> {
  const config = JSON.parse(await readFile(`${project}/tsconfig.json`, 'utf8'));
  await writeFile(
    `${project}/tsconfig.json`,
    JSON.stringify({ ...config, files: ['options.ts', 'server.ts'] }),
  );
  await run(`${root}/node_modules/.bin/tsc`, ['-p', '.'], { cwd: project });
}
