// The compose file and the scripts behind `make`, from the first start on. The tests build on each other, as a person's
// commands do. Starts that are refused are in refused-starts.test.ts.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import {
  backupCommand,
  type CommandResult,
  containersOf,
  createProject,
  docker,
  labCommand,
  type Project,
  removeProject,
  scriptCommand,
  stackCommand,
  startStackCommand,
} from '../support/commands.ts';
import { eventually, nextScrape, query, queryValue } from '../support/prometheus-api.ts';
import { repositoryRoot } from '../support/repository.ts';

const startTimeoutMs = 180_000;
const commandTimeoutMs = 90_000;

// Everything but printable characters and line ends: colours, cursor movements, carriage returns.
const controlCharacters = /[^\P{Cc}\n]/u;

/**
 * The verification table as series -> [sent, counted, difference]. A metric's name stands on a line of its own, its series below
 * it, indented, as labels; a metric without labels is one line.
 */
function verificationRows(output: string): Record<string, string[]> {
  const lines = output.slice(output.indexOf('\nseries ')).split('\n');
  let metric = '';
  const rows: Record<string, string[]> = {};
  for (const line of lines) {
    const cells = /^(.*\S)\s+(\S+)\s+(\S+)\s+([+-]?\d+)$/.exec(line);
    if (!cells) {
      if (/^[a-z_]+$/.test(line)) metric = line;
      continue;
    }
    const [, name = '', ...numbers] = cells;
    const series = name.startsWith(' ') ? `${metric}{${name.trim().replaceAll(' ', ',')}}` : name;
    rows[series] = numbers;
  }
  return rows;
}

describe('a stack of its own', () => {
  let project: Project;
  let prometheusUrl: string;
  let apiUrl: string;
  let firstUp: CommandResult;
  /** A moment at which what the backup has was there, in Unix seconds. */
  let savedAt: number;

  beforeAll(async () => {
    project = await createProject('commands');
    prometheusUrl = `http://127.0.0.1:${project.ports.PROMETHEUS_HOST_PORT}`;
    apiUrl = `http://127.0.0.1:${project.ports.API_HOST_PORT}`;
    firstUp = await stackCommand(project, ['up']);
  }, startTimeoutMs);

  afterAll(() => removeProject(project), commandTimeoutMs);

  it('up ends with the verification table and the URLs', () => {
    expect(firstUp).toMatchObject({ exitCode: 0 });
    expect(verificationRows(firstUp.stdout)).toMatchObject({
      'http_requests_total{path="products",method="post"}': ['40', '40', '0'],
      'http_requests_total{path="products",method="get"}': ['30', '30', '0'],
      'http_requests_total{path="cart",method="get"}': ['20', '20', '0'],
      'http_requests_total{path="cart",method="post"}': ['10', '10', '0'],
      'http_errors_total{code="404"}': ['33', '33', '0'],
      inprogress_requests: ['0', '0', '0'],
    });
    expect(firstUp.stdout).toContain('counted exactly once');
    expect(firstUp.stderr).toContain(`${apiUrl}/products`);
    expect(firstUp.stderr).toContain(`${prometheusUrl}/`);
  });

  it('up prints what its picture in the README shows, and leaves a page of the run', async () => {
    const picture = await readFile(`${repositoryRoot}/docs/pictures/make-up.txt`, 'utf8');
    const [command, , ...table] = picture.split('\n');
    expect(command).toBe('$ make up');
    expect(firstUp.stdout).toContain(table.join('\n'));
    const page = /The run as a page: (.*)\n/.exec(firstUp.stderr)?.[1] ?? '';
    expect(await readFile(page, 'utf8')).toContain('<p class="word">Passed</p>');
  });

  it('up names first a page that shows the run just made: in Grafana, or without one in Prometheus', async () => {
    const [, name, address = ''] =
      /^(This run|Overview) +(http\S+)\n(?:API|Metrics) /m.exec(firstUp.stderr) ?? [];
    const { data, status } = await axios.get<string>(address);
    expect({ name, status }).toEqual({
      name: firstUp.stderr.includes('left out') ? 'Overview' : 'This run',
      status: 200,
    });
    if (name === 'Overview') expect(data).toContain('<p class="number" id="requests">100</p>');
    else expect(address).toMatch(/\/d\/api-overview\?from=\d{13}&to=\d{13}$/);
  });

  it('up writes no control characters where there is no terminal', () => {
    expect(firstUp.stdout).not.toMatch(controlCharacters);
    expect(firstUp.stderr).not.toMatch(controlCharacters);
  });

  it('the API answers on the port of the second lab as well', async () => {
    const response = await axios.get(`http://127.0.0.1:${project.ports.API_LAB_HOST_PORT}/metrics`);
    expect(response.data).toContain('http_requests_total{path="products",method="post"} 40');
  });

  it('every container runs as a non-root user, on a read-only root, without capabilities, on loopback ports', async () => {
    const ids = await containersOf(project);
    expect(ids.length).toBeGreaterThanOrEqual(2);
    for (const container of JSON.parse(await docker('inspect', ...ids)) as Inspected[]) {
      expect(container.Config.User).toMatch(/^[1-9]\d*:\d+$/);
      expect(container.HostConfig.ReadonlyRootfs).toBe(true);
      expect(container.HostConfig.CapDrop).toEqual(['ALL']);
      expect(container.HostConfig.SecurityOpt).toEqual(['no-new-privileges:true']);
      expect(container.HostConfig.Memory).toBeGreaterThan(0);
      expect(container.State.Health?.Status).toBe('healthy');
      const bindings = Object.values(container.HostConfig.PortBindings).flat();
      expect(bindings.map(({ HostIp }) => HostIp)).toEqual(bindings.map(() => '127.0.0.1'));
    }
  });

  it(
    'up again changes nothing, sends nothing and says so',
    async () => {
      const before = await containersOf(project);
      const again = await stackCommand(project, ['up']);
      expect(again.exitCode).toBe(0);
      expect(again.stderr).toContain('nothing was changed');
      expect(await containersOf(project)).toEqual(before);
      expect(await queryValue(prometheusUrl, 'sum(http_requests_total)')).toBe(100);
      expect(await queryValue(prometheusUrl, 'http_errors_total{code="404"}')).toBe(33);
    },
    commandTimeoutMs,
  );

  it(
    'query prints a table, and passes on what Prometheus says of a wrong one',
    async () => {
      expect(
        await stackCommand(project, ['query', 'sort_desc(sum by (path) (http_requests_total)) > 0']),
      ).toMatchObject({
        exitCode: 0,
        stdout: 'path      value\nproducts     70\ncart         30\n',
      });
      const refused = await stackCommand(project, ['query', 'sum(']);
      expect(refused.exitCode).toBe(2);
      expect(refused.stderr).toContain('unclosed left parenthesis');
    },
    commandTimeoutMs,
  );

  it(
    'the queries of docs/operations.md have answers',
    async () => {
      const document = await readFile(`${repositoryRoot}/docs/operations.md`, 'utf8');
      const queries = [...document.matchAll(/^make query Q='(.*)'$/gm)].map(([, asked = '']) => asked);
      expect(queries.length).toBeGreaterThan(2);
      for (const asked of queries)
        expect((await stackCommand(project, ['query', asked])).stdout).toMatch(/value\n(.*\d\n)+$/);
    },
    commandTimeoutMs,
  );

  it(
    'lab takes right answers, says why others are wrong or right by accident, and goes on where it was left',
    async () => {
      const progress = { LAB_PROGRESS: join(project.reports, 'lab.json') };
      const first = await labCommand(
        project,
        [...LAB_BEGINNING.flatMap(({ type }) => type), 'quit'],
        progress,
      );
      expect(first).toMatchObject({ exitCode: 0, stderr: '' });
      expect(first.stdout).not.toMatch(controlCharacters);
      const answers = first.stdout.split('\n> ').slice(1);
      for (const [i, { says }] of LAB_BEGINNING.entries()) expect(answers[i]).toContain(says);
      expect(first.stdout).toContain('3 of 10 answered');
      const second = await labCommand(project, LAB_REST, progress);
      expect(second.stdout).toContain('Welcome back: 3 of 10 are answered.');
      expect(second.stdout).toContain('All 10 answered.');
    },
    commandTimeoutMs,
  );

  it(
    'lab with ANSWERS=1 shows solutions that its own grader takes',
    async () => {
      const { exitCode, stdout } = await labCommand(project, [], { ANSWERS: '1' });
      expect(exitCode).toBe(0);
      expect(stdout.match(/^Right\./gm)).toHaveLength(10);
      expect(stdout).toContain('> sum(http_requests_total)\nRight. Your Prometheus answers 100.');
    },
    commandTimeoutMs,
  );

  it(
    "backup keeps Prometheus' data in a file, and refuses one that is there or whose folder is not",
    async () => {
      const file = join(project.reports, 'prometheus.tgz');
      savedAt = await queryValue(prometheusUrl, 'max(timestamp(http_requests_total))');
      expect(await backupCommand(project, 'backup', file)).toMatchObject({ exitCode: 0 });
      expect((await backupCommand(project, 'backup', file)).exitCode).toBe(2);
      expect((await backupCommand(project, 'backup', join(project.reports, 'none/x.tgz'))).exitCode).toBe(2);
    },
    commandTimeoutMs,
  );

  it(
    'backup that finds no room leaves no file, and Prometheus goes on',
    async () => {
      const file = join(project.reports, 'cut.tgz');
      const command = `ulimit -f 16 && exec scripts/backup.sh backup '${file}'`;
      const { exitCode, stderr } = await scriptCommand(project, 'sh', ['-c', command]);
      expect({ exitCode, stderr }).toEqual({
        exitCode: 1,
        stderr: expect.stringContaining(`the data could not be written to "${file}"; no file was left.`),
      });
      expect((await readdir(project.reports)).filter((name) => name.startsWith('cut'))).toEqual([]);
      await nextScrape(prometheusUrl);
    },
    commandTimeoutMs,
  );

  it(
    'restore refuses a file that was cut off, or is no backup, and what is there stays',
    async () => {
      const whole = await readFile(join(project.reports, 'prometheus.tgz'));
      const file = join(project.reports, 'short.tgz');
      for (const size of [whole.length - 1, whole.length >> 1, 0]) {
        await writeFile(file, whole.subarray(0, size));
        const { exitCode, stderr } = await backupCommand(project, 'restore', file);
        expect({ exitCode, stderr }).toEqual({
          exitCode: 2,
          stderr: expect.stringContaining(
            'FILE: expected a file that make backup has written, and all of it',
          ),
        });
      }
      const other = join(project.reports, 'other.tgz');
      execFileSync('tar', ['-czf', other, '--transform', 's,^,./wal/,', '-C', repositoryRoot, 'README.md']);
      expect(await backupCommand(project, 'restore', other)).toMatchObject({ exitCode: 2 });
      expect(await queryValue(prometheusUrl, 'sum(http_requests_total)')).toBe(100);
    },
    commandTimeoutMs,
  );

  it(
    'load not-found adds 33 errors, verified, and verify agrees',
    async () => {
      const load = await stackCommand(project, ['load', 'not-found']);
      expect(load.exitCode).toBe(0);
      expect(verificationRows(load.stdout)['http_errors_total{code="404"}']).toEqual(['33', '33', '0']);
      expect(await queryValue(prometheusUrl, 'http_errors_total{code="404"}')).toBe(66);
      expect(await stackCommand(project, ['verify'])).toMatchObject({ exitCode: 0 });
    },
    commandTimeoutMs,
  );

  it(
    'load sends pattern files of this machine, with flags, and leaves a page and the asked JSON here',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'own pattern '));
      const [file, json] = [join(folder, 'own.yaml'), join(folder, 'own.json')];
      const cart = '{path: /cart, expect: 200, series: {path: cart, method: get}}';
      await writeFile(file, `stages: [{duration: 30s, rate: 5}]\ntargets: [${cart}]\n`, { mode: 0o600 });
      const flags = ['--rate', '20', '--duration', '2s', `--json=${json}`];
      const load = await stackCommand(project, ['load', file, ...flags]);
      expect(load).toMatchObject({ exitCode: 0 });
      expect(load.stdout).toContain('own: 40 requests sent');
      expect(JSON.parse(await readFile(json, 'utf8')).phases[0]).toMatchObject({ pattern: 'own', sent: 40 });
      const page = /The run as a page: (.*)\n/.exec(load.stderr)?.[1] ?? '';
      expect(page).toContain(project.reports);
      expect(await readFile(page, 'utf8')).toContain('<p class="word">Passed</p>');
      await writeFile(file, 'targets: [{path: /cart, cout: 5}]\n');
      const mistaken = await stackCommand(project, ['load', file]);
      expect(mistaken.exitCode).toBe(2);
      expect(mistaken.stderr).toContain(`loadgen: ${file}:1:25: targets[0].cout: not a known key\n`);
      expect(mistaken.stderr).not.toMatch(/Overview|This run|as a page/);
      await rm(folder, { recursive: true });
    },
    commandTimeoutMs,
  );

  it(
    "one request behind the generator's back makes verify fail, and it names the series",
    async () => {
      await axios.get(`${apiUrl}/cart`);
      const verify = await stackCommand(project, ['verify']);
      expect(verify.exitCode).toBe(1);
      const series = 'http_requests_total{path="cart",method="get"}';
      expect(verificationRows(verify.stdout)[series]).toEqual(['60', '61', '+1']);
      expect(verify.stdout).toContain(`${series}: counted 1 more than sent`);
    },
    commandTimeoutMs,
  );

  it(
    'a wrong pattern name ends with status 2 and names the patterns that there are',
    async () => {
      const load = await stackCommand(project, ['load', 'hundert']);
      expect(load.exitCode).toBe(2);
      expect(load.stderr).toContain('hundert');
      expect(load.stderr).toContain('not-found');
    },
    commandTimeoutMs,
  );

  it(
    'a Prometheus that is stopped during verify ends it with status 3 and its address',
    async () => {
      const [prometheus] = await containersOf(project, 'prometheus');
      if (!prometheus) throw new Error('expected a Prometheus container');
      const verify = startStackCommand(project, ['verify']);
      await eventually('the generator of verify runs', async () =>
        (await containersOf(project, 'loadgen')).length > 0 ? true : undefined,
      );
      await docker('stop', '--time', '0', prometheus);
      const result = await verify.result;
      expect(result.exitCode).toBe(3);
      expect(result.stderr).toContain('http://prometheus:9090');
      await docker('start', prometheus);
    },
    commandTimeoutMs,
  );

  it(
    'an API that is killed during load ends it with status 3 and no verification, and up brings it back',
    async () => {
      const [api] = await containersOf(project, 'api');
      if (!api) throw new Error('expected an API container');
      const load = startStackCommand(project, [
        'load',
        ...['steady', '--duration', '12s', '--rate', '100', '--timeout', '2s', '--wait', '10s'],
      ]);
      await eventually('the API handles the load', async () => {
        const handled = await queryValue(prometheusUrl, 'sum(http_requests_total)');
        return handled > 150 ? true : undefined;
      });
      await docker('kill', api);
      const result = await load.result;
      expect(result.exitCode).toBe(3);
      expect(result.stderr).toContain(
        'not verified: Prometheus at http://prometheus:9090 got no new scrape of the API',
      );
      const up = await stackCommand(project, ['up']);
      expect(up.exitCode).toBe(0);
      expect(verificationRows(up.stdout)['http_errors_total{code="404"}']).toEqual(['33', '33', '0']);
    },
    startTimeoutMs,
  );

  it(
    'restore brings the data back on a machine that has none',
    async () => {
      const file = join(project.reports, 'prometheus.tgz');
      expect(await stackCommand(project, ['down', '--volumes'])).toMatchObject({ exitCode: 0 });
      expect((await backupCommand(project, 'restore', `${file}.not`)).exitCode).toBe(2);
      expect(await backupCommand(project, 'restore', file)).toMatchObject({ exitCode: 0 });
      expect(await stackCommand(project, ['up'])).toMatchObject({ exitCode: 0 });
      // What was scraped before the backup; what came after it is not in it.
      expect(await query(prometheusUrl, 'sum(http_requests_total)', savedAt)).toEqual([
        { labels: {}, value: 100 },
      ]);
      expect(await query(prometheusUrl, 'http_errors_total{code="404"} > 33')).toEqual([]);
      expect(await query(prometheusUrl, 'max_over_time(http_errors_total{code="404"}[1h]) > 33')).toEqual([]);
    },
    startTimeoutMs,
  );

  it(
    'down and up again ends with the verification table again',
    async () => {
      expect(await stackCommand(project, ['down'])).toMatchObject({ exitCode: 0 });
      expect(await containersOf(project)).toEqual([]);
      const up = await stackCommand(project, ['up']);
      expect(up.exitCode).toBe(0);
      expect(up.stdout).toContain('counted exactly once');
    },
    startTimeoutMs,
  );
});

/** What a learner types, and what is said to it. */
const LAB_BEGINNING = [
  { type: 'hint', says: 'http_requests_total' },
  { type: '99', says: 'Not right. Not 99' },
  { type: 'sum(', says: 'unclosed left parenthesis' },
  { type: 'http_request_total', says: 'Nothing matches' },
  { type: 'http_requests_total', says: 'one number is asked for' },
  { type: '100 + 0', says: 'by accident' },
  { type: 'sum(http_requests_total{path=~"products|cart"})', says: 'by accident' },
  { type: '100', says: 'Right. That is what sum(http_requests_total) answers now.' },
  { type: 'get cart', says: 'did not get the most' },
  { type: 'topk(1, http_requests_total)', says: 'There are two replicas' },
  { type: 'post products', says: 'Right. It got 40.' },
  { type: 'sum(http_errors_total{code="404"})', says: 'There are other errors than 404' },
  { type: 'vector(33)', says: 'it gives 33 where 216 is right' },
  { type: 'sum(http_errors_total)', says: 'Right. Your Prometheus answers 33.' },
];
const LAB_REST = [
  'gauge',
  'sum(inprogress_requests)',
  'count(up{job="api"} == 1)',
  'sum(increase(http_requests_total[1m])) / 60',
  'sum(rate(http_request_duration_seconds_count{code=~"[45].."}[5m])) / sum(rate(http_request_duration_seconds_count[5m]))',
  'histogram_quantile(0.95, sum(rate(http_request_duration_seconds_bucket[5m])) by (le))',
  'sum(rate(http_request_duration_seconds_bucket{le="0.25"}[5m])) / sum(rate(http_request_duration_seconds_count[5m]))',
];

interface Inspected {
  Config: { User: string };
  HostConfig: {
    ReadonlyRootfs: boolean;
    CapDrop: string[];
    SecurityOpt: string[];
    Memory: number;
    PortBindings: Record<string, { HostIp: string }[]>;
  };
  State: { Health?: { Status: string } };
}
