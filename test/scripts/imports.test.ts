/** Checks that dependency-cruiser.config.mjs reports forbidden imports. Lint shows that it accepts the existing ones. */
import { appendFile, mkdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { expect, it } from '@jest/globals';
import { useSandbox } from './sandbox.ts';

const box = useSandbox();

const WRONG = [
  ['loadgen/src/load/summary.ts', 'loadgen/src/http/client.ts', 'loadgen: load -> common'],
  ['loadgen/src/http/client.ts', 'loadgen/src/load/pacer.ts', 'loadgen: http -> common'],
  ['loadgen/src/verify/verification.ts', 'loadgen/src/report/report.ts', 'loadgen: verify -> common'],
  ['loadgen/src/run/run.ts', 'loadgen/src/cli/paint.ts', 'loadgen: run -> '],
  ['app/src/simulation.ts', 'app/src/errors.ts', 'app: simulation -> '],
  ['app/src/errors.ts', 'app/src/simulation.ts', 'no cycles'],
  ['app/src/app.ts', 'loadgen/src/load/pacer.ts', 'app: no internals of other workspaces'],
  [
    'instrumentation/src/instrument.ts',
    'instrumentation/src/cluster/members.ts',
    'instrumentation: cluster is loaded in workers',
  ],
  [
    'instrumentation/src/join-aggregate.ts',
    'instrumentation/src/cluster/members.ts',
    'instrumentation: join-aggregate loads cluster',
  ],
  ['tools/bench/run.ts', 'loadgen/src/load/pacer.ts', 'tools: no internals of other workspaces'],
  ['loadgen/src/cli/list.ts', 'loadgen/src/main.ts', 'main.ts is not imported'],
  ['grafana/src/table.ts', 'grafana/test/limits.ts', 'sources do not import tests'],
  ['lab/src/live.ts', 'test/support/until.ts', 'sources do not import tests'],
  ['lab/src/live.ts', 'tools/bench/run.ts', 'sources do not import tests'],
] as const;

async function write(from: string, to: string, kind = ''): Promise<void> {
  for (const path of [from, to]) await mkdir(dirname(box.path(path)), { recursive: true });
  await appendFile(box.path(from), `import ${kind} {} from './${relative(dirname(from), to)}';\n`);
  await appendFile(box.path(to), 'export {};\n');
}

it('refuses each forbidden import, even of a type', async () => {
  for (const [from, to] of WRONG) await write(from, to);
  await write('loadgen/src/load/thresholds.ts', 'loadgen/src/verify/snapshot.ts', 'type');
  const config = join(import.meta.dirname, '../../dependency-cruiser.config.mjs');
  const words = ['--config', config, '.'];
  const PATH = process.env.PATH ?? '';
  const { code, out } = await box.run('node_modules/.bin/depcruise', words, { PATH }, box.folder);
  expect(code).not.toBe(0);
  for (const [from, to, rule] of WRONG)
    expect(out).toMatch(new RegExp(`error ${rule}[^\\n]*: ${from} →\\s+${to}`));
  expect(out).toContain('load -> common: loadgen/src/load/thresholds.ts → loadgen/src/verify/snapshot.ts');
});
