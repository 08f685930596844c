/** The package from a user's point of view: packed, installed into a project, and used as in its README. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { blockOf } from '../../test/support/markdown.ts';
import { filesIn, installTarballs, itIsPublishable, pack } from '../../test/support/packed.ts';
import { namesIn, read, repositoryRoot as root } from '../../test/support/repository.ts';
import { serveHttp, stopServers } from './servers.ts';

const execute = promisify(execFile);
const readme = read('loadgen/README.md');

let project: string;
let tarball: string;
/** The URL of a server that responds to everything. */
let url: string;

/** In the project, with the Node that runs this test. */
const run = (program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  execute(program, args, {
    cwd: project,
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}`, ...env },
  });

beforeAll(async () => {
  project = await mkdtemp(`${tmpdir()}/exact-load-`);
  const manifest = { private: true, type: 'module' };
  await writeFile(`${project}/package.json`, JSON.stringify(manifest));
  const tarballs = await pack(`${root}loadgen`, project);
  [tarball] = tarballs;
  await installTarballs(project, tarballs);
  for (const scope of ['@types', '@jest'])
    await mkdir(`${project}/node_modules/${scope}`, { recursive: true });
  for (const id of ['@types/node', '@jest/globals'])
    await symlink(`${root}node_modules/${id}`, `${project}/node_modules/${id}`);
  ({ url } = await serveHttp((_, response) => void response.end('{}')));
});

afterAll(async () => {
  await stopServers();
  await rm(project, { recursive: true, force: true });
});

describe('the tarball', () => {
  it('contains the necessary files and no others', async () => {
    const files = await filesIn(tarball);
    const others = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json', 'page/page.css'];
    const schemas = ['pattern.schema.json', 'report.schema.json'];
    const isBuilt = (file: string) => /^dist\/.*\.(js|d\.ts)$/.test(file);
    expect(files.filter((file) => !isBuilt(file)).sort()).toEqual([...others, ...schemas].sort());
    // No output of a deleted source file.
    const sources = namesIn('loadgen/src', true).filter((file) => file.endsWith('.ts'));
    const built = sources.flatMap((file) =>
      ['.js', '.d.ts'].map((end) => `dist/${file.replace(/\.ts$/, end)}`),
    );
    expect(files.filter(isBuilt).sort()).toEqual(built.sort());
  });

  itIsPublishable('loadgen', () => tarball, ['node10', 'node16-cjs']);
});

describe('a project', () => {
  it.each([
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])(
    'in TypeScript compiles and runs: --module %s --moduleResolution %s',
    async (module, moduleResolution) => {
      await cp(`${import.meta.dirname}/project-setups/usage.ts`, `${project}/usage.ts`);
      const strict = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, types: ['node'] };
      const compilerOptions = { target: 'es2023', module, moduleResolution, outDir: module, ...strict };
      const config = { compilerOptions, files: ['usage.ts'] };
      await writeFile(`${project}/tsconfig.json`, JSON.stringify(config));
      await run(`${root}node_modules/.bin/tsc`, ['-p', '.']);
      const { stdout } = await run(process.execPath, [`${module}/usage.js`, url]);
      expect(stdout).toBe('passed 3 function function\n');
    },
  );

  it('runs the test of the README with Jest', async () => {
    // The speed of a busy machine must not affect the example.
    const code = blockOf(readme, 'js', 'exact-load').replace('p99<1s', 'p99<1m').replace('(500)', '(60_000)');
    await writeFile(`${project}/users.test.js`, code);
    const flags = `--rootDir ${project} --testMatch **/users.test.js --testTimeout 60000`.split(' ');
    const words = [`${root}node_modules/jest/bin/jest.js`, ...flags];
    const { stderr } = await run(process.execPath, words, { NODE_OPTIONS: '--experimental-vm-modules' });
    expect(stderr).toContain('1 passed, 1 total');
  });

  it('runs the commands of the README', async () => {
    const body = '{ "name": "Ada" }';
    const targets = '{ "targets": [{ "path": "/users/7", "count": 5 }] }';
    for (const [name, text] of Object.entries({ 'body.json': body, 'checkout.yaml': targets }))
      await writeFile(`${project}/${name}`, text);
    const commands = [...readme.matchAll(/^exact-load .*/gm)].map(([command]) => command);
    expect(commands).toHaveLength(7);
    for (const command of commands) {
      // With its own port, a short duration, a threshold for a busy machine, and without Prometheus.
      const words = command
        .replace(/http:\/\/127.0.0.1:3000/, url)
        .replace(' -d 30s', ' -d 500ms')
        .replace('p99<250ms', 'p99<1m')
        .replace(/ (--prometheus|-p) \S+/, '');
      const { stdout } = await run('sh', ['-c', `PATH=node_modules/.bin:$PATH ${words}`]);
      const [, requests = command.includes(' run ') ? 5 : 100] = / -n (\d+)/.exec(command) ?? [];
      const answered = `answered +${Number(requests).toLocaleString('en-US')} `;
      expect(stdout).toMatch(new RegExp(command.includes(' completion ') ? '^complete ' : answered, 'm'));
    }
    const page = await readFile(`${project}/report.html`, 'utf8');
    expect(page).toContain('GET /users/7');
    expect(page).toContain(read('loadgen/page/page.css'));
  });

  it('sends from several processes with the command', async () => {
    const words = ['run', 'hundred', '--target', url, '--workers', '2', '--quiet'];
    const { stdout } = await run('npx', ['--offline', '--no', 'exact-load', ...words]);
    expect(stdout).toMatch(/answered +100 /);
  });
});
