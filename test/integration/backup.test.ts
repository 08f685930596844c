// `make backup` and `make restore` are complete or change nothing, and a restore works on a machine without data.
import { execFileSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Project } from '../support/project.ts';
import { expectValue, nextScrape, query, queryValue } from '../support/prometheus.ts';
import { repositoryRoot } from '../support/repository.ts';

let project: Project;
let file: string;
/** A time at which the content of the backup existed, in Unix seconds. */
let savedAt: number;

beforeAll(async () => {
  project = await Project.create('backup');
  file = join(project.reports, 'prometheus.tgz');
  await project.up();
});

afterAll(() => project.remove());

const backup = (path: string) => project.run('scripts/backup.sh', ['backup', path]);
const restore = (path: string) => project.run('scripts/backup.sh', ['restore', path]);

it("backup saves Prometheus' data to a file, and refuses an existing file and a missing folder", async () => {
  savedAt = await queryValue(project.prometheusUrl, 'max(timestamp(http_requests_total))');
  expect(await backup(file)).toMatchObject({ exitCode: 0 });
  expect((await backup(file)).exitCode).toBe(2);
  expect((await backup(join(project.reports, 'none/x.tgz'))).exitCode).toBe(2);
});

it('a backup that runs out of disk space leaves no file, and Prometheus continues', async () => {
  const cut = join(project.reports, 'cut.tgz');
  const command = `ulimit -f 16 && exec scripts/backup.sh backup '${cut}'`;
  const { exitCode, stderr } = await project.run('sh', ['-c', command]);
  const reason = `the data could not be written to "${cut}"; the partial file was removed.`;
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(reason) });
  expect((await readdir(project.reports)).filter((name) => name.startsWith('cut'))).toEqual([]);
  await nextScrape(project.prometheusUrl);
});

it('restore refuses a truncated file and one that is not a backup, and keeps the existing data', async () => {
  const whole = await readFile(file);
  const short = join(project.reports, 'short.tgz');
  for (const size of [whole.length - 1, whole.length >> 1, 0]) {
    await writeFile(short, whole.subarray(0, size));
    const { exitCode, stderr } = await restore(short);
    const reason = 'FILE: expected a complete file from make backup';
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(reason) });
  }
  const other = join(project.reports, 'other.tgz');
  execFileSync('tar', ['-czf', other, '--transform', 's,^,./wal/,', '-C', repositoryRoot, 'README.md']);
  expect(await restore(other)).toMatchObject({ exitCode: 2 });
  await expectValue(project.prometheusUrl, 'sum(http_requests_total)', 100);
});

it('restore brings back the data on a machine without any, and nothing newer than the backup', async () => {
  expect(await project.stack(['load', 'not-found'])).toMatchObject({ exitCode: 0 });
  await expectValue(project.prometheusUrl, 'http_errors_total{code="404"}', 66);
  expect(await project.stack(['down', '--volumes'])).toMatchObject({ exitCode: 0 });
  expect((await restore(`${file}.not`)).exitCode).toBe(2);
  expect(await restore(file)).toMatchObject({ exitCode: 0 });
  await project.up();
  expect(await query(project.prometheusUrl, 'sum(http_requests_total)', savedAt)).toEqual([
    { labels: {}, value: 100 },
  ]);
  expect(await query(project.prometheusUrl, 'http_errors_total{code="404"} > 33')).toEqual([]);
  expect(await query(project.prometheusUrl, 'max_over_time(http_errors_total{code="404"}[1h]) > 33')).toEqual(
    [],
  );
});
