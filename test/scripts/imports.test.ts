/** The guard of the directions of imports (dependency-cruiser.config.mjs): it lets the right ones pass and names the wrong ones. */
import { execFile } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));

const right = [
  ['loadgen/src/run/phase.ts', 'loadgen/src/http/client.ts'],
  ['loadgen/src/load/summary.ts', 'loadgen/src/common/result.ts'],
  ['app/src/app.ts', 'app/src/routes.ts'],
  ['tools/bench/middleware/variants.ts', 'app/src/app.ts'],
  ['app/test/routes.test.ts', 'test/support/until.ts'],
  ['lab/src/live.ts', 'loadgen/src/verify/prometheus.ts'],
] as const;
const wrong = [
  ['loadgen/src/load/summary.ts', 'loadgen/src/http/client.ts', 'loadgen: load -> common'],
  ['loadgen/src/http/client.ts', 'loadgen/src/load/pacer.ts', 'loadgen: http -> common'],
  ['loadgen/src/verify/verification.ts', 'loadgen/src/report/report.ts', 'loadgen: verify -> common'],
  ['loadgen/src/run/run.ts', 'loadgen/src/cli/paint.ts', 'loadgen: run -> '],
  ['app/src/simulation.ts', 'app/src/errors.ts', 'app: simulation -> '],
  ['app/src/errors.ts', 'app/src/simulation.ts', 'no circles'],
  ['app/src/app.ts', 'loadgen/src/load/pacer.ts', 'app: no insides of other workspaces'],
  ['tools/bench/run.ts', 'loadgen/src/load/pacer.ts', 'tools: no insides of other workspaces'],
  ['loadgen/src/cli/list.ts', 'loadgen/src/main.ts', 'nobody imports the process'],
  ['grafana/src/table.ts', 'grafana/test/limits.ts', 'sources know no tests'],
  ['lab/src/live.ts', 'test/support/until.ts', 'sources know no tests'],
  ['lab/src/live.ts', 'tools/bench/run.ts', 'sources know no tests'],
] as const;

/** What the guard says of a repository that holds all of these imports. */
let said = '';
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'imports-'));
  for (const [from, to] of [...right, ...wrong]) await write(from, to);
  await write('loadgen/src/load/thresholds.ts', 'loadgen/src/verify/snapshot.ts', 'type');
  const config = join(root, 'dependency-cruiser.config.mjs');
  said = await new Promise((resolve) => {
    const args = ['--config', config, '.'];
    execFile(join(root, 'node_modules/.bin/depcruise'), args, { cwd: folder }, (error, stdout) =>
      resolve(`${stdout}exit code ${error?.code ?? 0}`),
    );
  });
}, 20_000);
afterAll(() => rm(folder, { recursive: true }));

async function write(from: string, to: string, kind = ''): Promise<void> {
  for (const path of [from, to]) await mkdir(join(folder, dirname(path)), { recursive: true });
  await appendFile(join(folder, from), `import ${kind} {} from './${relative(dirname(from), to)}';\n`);
  await appendFile(join(folder, to), 'export {};\n');
}

it('fails where there is a wrong import', () => {
  expect(said).toMatch(/exit code [1-9]\d*$/);
});

it.each(right)('lets %s import %s', (from, to) => {
  expect(said).not.toMatch(new RegExp(`error [^\\n]*: ${from} → ${to}`));
});

it.each(wrong)('refuses that %s imports %s', (from, to, rule) => {
  expect(said).toMatch(new RegExp(`error ${rule}[^\\n]*: ${from} →\\s+${to}`));
});

it('sees an import of a type as well', () => {
  expect(said).toContain(
    'error loadgen: load -> common: loadgen/src/load/thresholds.ts → loadgen/src/verify/snapshot.ts',
  );
});
