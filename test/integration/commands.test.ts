// The scripts behind `make`, from before the first start. Tests build on each other, like a user's commands.
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import axios from 'axios';
import { type CommandResult, docker } from '../support/command.ts';
import { exposed, signal } from '../support/faults.ts';
import { inspect } from '../support/inspect.ts';
import { LAB_BEGINNING } from '../support/lab-beginning.ts';
import { Project } from '../support/project.ts';
import { expectValue, nextScrape, queryValue } from '../support/prometheus.ts';
import { read } from '../support/repository.ts';
import { eventually } from '../support/until.ts';

// Everything except printable characters and newlines: colours, cursor movements, carriage returns.
const controlCharacters = /[^\P{Cc}\n]/u;

/** A row of the verification table: sent, counted, difference. */
const row = (series: string, ...numbers: (number | string)[]) =>
  new RegExp(`^ *${series} +${numbers.join(' +')}$`, 'm');

const NOT_FOUND = 'http_errors_total{code="404"}';

let project: Project;
let firstUp: CommandResult;

beforeAll(async () => {
  project = await Project.create('commands');
});

afterAll(() => project.remove());

const value = (expression: string) => queryValue(project.prometheusUrl, expression);

async function expectPassed({ stderr }: CommandResult): Promise<void> {
  const [, page = ''] = /The run as a page: (.*)\n/.exec(stderr) ?? [];
  expect(page).toContain(project.reports);
  expect(await readFile(page, 'utf8')).toContain('<p class="word">Passed</p>');
}

it.each([
  ['load', 3],
  ['verify', 3],
  ['query up', 3],
  ['logs', 3],
  ['down', 0],
])('%s reports that nothing runs, and exits with status %i', async (command, status) => {
  const { exitCode, stderr } = await project.stack(command.split(' '));
  expect({ exitCode, stderr }).toEqual({
    exitCode: status,
    stderr: expect.stringMatching(/the stack is not running\./i),
  });
  if (status === 3) expect(stderr).toContain('Start it with: make up');
});

it('up names a port in use and its variable, and leaves nothing behind', async () => {
  const port = project.port('PROMETHEUS_HOST_PORT');
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  const { exitCode, stderr } = await project.stack(['up']);
  other.close();
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`port ${port} (PROMETHEUS_HOST_PORT) is in use`);
  expect(await project.containers()).toEqual([]);
});

it('up prints the verification table of its picture in the README and the URLs, and leaves a page of the run', async () => {
  firstUp = await project.up();
  const [command, , ...table] = read('docs/pictures/make-up.txt').split('\n');
  expect(command).toBe('$ make up');
  expect(firstUp.stdout).toContain(table.join('\n'));
  expect(firstUp.stdout).toMatch(row('path="products" method="post"', 40, 40, 0));
  expect(firstUp.stderr).toContain(`${project.url('API_HOST_PORT')}/products`);
  // In Debian's build, the page at / only leads to this one, and by a redirect that axios does not follow.
  const address = /^Prometheus +(\S+)$/m.exec(firstUp.stderr)?.[1] ?? '';
  expect((await axios.get(address)).data).toMatch(/name="expr"|Prometheus Time Series Collection/);
  await expectPassed(firstUp);
});

it('up first names a page that shows the run: in Grafana, or without Grafana in Prometheus', async () => {
  const [, name, address = ''] =
    /^(This run|Overview) +(http\S+)\n(?:API|Metrics) /m.exec(firstUp.stderr) ?? [];
  const expected = firstUp.stderr.includes('skipped') ? 'Overview' : 'This run';
  const { status } = await axios.get<string>(address);
  expect({ name, status }).toEqual({ name: expected, status: 200 });
  const isShown = async () => (await axios.get<string>(address)).data.includes('>100</a></p>');
  if (name === 'Overview') await eventually('the number of requests', isShown);
  else expect(address).toMatch(/\/d\/api-overview\?from=\d{13}&to=\d{13}$/);
});

it('up writes no control characters without a terminal', () => {
  expect(firstUp.stdout).not.toMatch(controlCharacters);
  expect(firstUp.stderr).not.toMatch(controlCharacters);
});

it('up waits until every container is healthy; the engine restarts containers that exit', async () => {
  const states = await Promise.all((await project.containers()).map((id) => inspect(id)));
  expect(states.length).toBeGreaterThanOrEqual(2);
  for (const { State, HostConfig } of states) {
    expect(State.Health?.Status).toBe('healthy');
    expect(HostConfig.RestartPolicy).toMatchObject({ Name: 'unless-stopped' });
  }
});

it('the API also responds on the port of the second lab', async () => {
  const { data } = await axios.get<string>(`${project.url('API_LAB_HOST_PORT')}/metrics`);
  expect(data).toContain('http_requests_total{path="products",method="post"} 40');
});

it('up again changes nothing, sends nothing and reports that', async () => {
  const before = await project.containers();
  expect((await project.up()).stderr).toContain('nothing was changed');
  expect(await project.containers()).toEqual(before);
  expect(await value('sum(http_requests_total)')).toBe(100);
  expect(await value(NOT_FOUND)).toBe(33);
});

it('query prints a table, and passes on the error of Prometheus for an invalid query', async () => {
  const sorted = ['query', 'sort_desc(sum by (path) (http_requests_total)) > 0'];
  const table = 'path      value\nproducts     70\ncart         30\n';
  await eventually('the table', async () => (await project.stack(sorted)).stdout === table);
  const { exitCode, stderr } = await project.stack(['query', 'sum(']);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('unclosed left parenthesis')]);
});

it('the queries of docs/operations.md have answers', async () => {
  const queries = [...read('docs/operations.md').matchAll(/^make query Q='(.*)'$/gm)].map(
    ([, asked = '']) => asked,
  );
  expect(queries.length).toBeGreaterThan(2);
  const isAnswered = async (asked: string) =>
    /value\n(.*\d\n)+$/.test((await project.stack(['query', asked])).stdout);
  for (const asked of queries) await eventually(`an answer to ${asked}`, () => isAnswered(asked));
});

/** `make lab`, piped: `lines` are the learner's input. */
const lab = (lines: readonly string[], settings: NodeJS.ProcessEnv) =>
  project.run('scripts/lab.sh', [], settings, lines.map((line) => `${line}\n`).join(''));

it('lab accepts correct answers, explains wrong ones and coincidences, and continues where it stopped', async () => {
  const progress = { LAB_PROGRESS: join(project.reports, 'lab.json') };
  const first = await lab([...LAB_BEGINNING.map(([typed]) => typed), 'quit'], progress);
  expect(first).toMatchObject({ exitCode: 0, stderr: '' });
  expect(first.stdout).not.toMatch(controlCharacters);
  const answers = first.stdout.split('\n> ').slice(1);
  for (const [i, [, said]] of LAB_BEGINNING.entries()) expect(answers[i]).toContain(said);
  expect(first.stdout).toContain('3 of 10 answered');
  const second = await lab(['quit'], progress);
  expect(second.stdout).toContain('Welcome back: 3 of 10 answered.');
});

it('lab with ANSWERS=1 shows solutions that its grader accepts', async () => {
  const { exitCode, stdout } = await lab([], { ANSWERS: '1' });
  expect(exitCode).toBe(0);
  expect(stdout.match(/^Correct\./gm)).toHaveLength(10);
  expect(stdout).toContain('> sum(http_requests_total)\nCorrect. Your Prometheus answers 100.');
});

it('load not-found adds 33 errors, verified', async () => {
  const load = await project.stack(['load', 'not-found']);
  expect(load.exitCode).toBe(0);
  expect(load.stdout).toMatch(row('code="404"', 33, 33, 0));
  expect(await value(NOT_FOUND)).toBe(66);
});

it('load sends local pattern files, with flags, and writes a page and the requested JSON on this machine', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'own pattern '));
  const [file, json] = [join(folder, 'own.yaml'), join(folder, 'own.json')];
  const cart = '{path: /cart, expect: 200, series: {route: cart}}';
  await writeFile(file, `stages: [{duration: 30s, rate: 5}]\ntargets: [${cart}]\n`, { mode: 0o600 });
  const load = await project.stack(['load', file, '--rate', '20', '--duration', '2s', `--json=${json}`]);
  expect(load).toMatchObject({ exitCode: 0 });
  expect(load.stdout).toContain('own: 40 requests sent');
  expect(JSON.parse(await readFile(json, 'utf8')).phases[0]).toMatchObject({ pattern: 'own', sent: 40 });
  await expectPassed(load);
  await writeFile(file, 'targets: [{path: /cart, cout: 5}]\n');
  const mistaken = await project.stack(['load', file]);
  expect(mistaken.exitCode).toBe(2);
  expect(mistaken.stderr).toContain(`exact-load: ${file}:1:25: targets[0].cout: unknown key\n`);
  expect(mistaken.stderr).not.toMatch(/Overview|This run|as a page/);
  await rm(folder, { recursive: true });
});

it('verify fails after one request that the generator did not send, and names the series', async () => {
  await axios.get(`${project.url('API_HOST_PORT')}/cart`);
  const verify = await project.stack(['verify']);
  expect(verify.exitCode).toBe(1);
  expect(verify.stdout).toMatch(row('path="cart" method="get"', 60, 61, '\\+1'));
  expect(verify.stdout).toContain('http_requests_total{path="cart",method="get"}: counted 1 more than sent');
});

it('verify exits with status 3 and names the address if Prometheus stops while it waits', async () => {
  const prometheus = await project.container('prometheus');
  const api = await project.container('api');
  await signal(api, 'STOP');
  const verify = project.start('scripts/stack.sh', ['verify']);
  await eventually('the wait for a scrape', async () => verify.stderr().includes('waiting for Prometheus'));
  await docker('kill', prometheus);
  const { exitCode, stderr } = await verify.result;
  expect(exitCode).toBe(3);
  expect(stderr).toContain('http://prometheus:9090');
  await signal(api, 'CONT');
  await docker('start', prometheus);
  await nextScrape(project.prometheusUrl);
});

it('load exits with status 3, without a verification, if the API is killed during the run', async () => {
  const api = await project.container('api');
  const flags = ['--duration', '15s', '--rate', '100', '--timeout', '2s', '--wait', '20s'];
  const counted = () => exposed(project.metricsUrl, 'http_requests_total');
  const before = await counted();
  const load = project.start('scripts/stack.sh', ['load', 'steady', ...flags]);
  await eventually('the API handles the load', async () => (await counted()) > before);
  await docker('kill', api);
  const { exitCode, stderr } = await load.result;
  expect(exitCode).toBe(3);
  const reason = 'not verified: Prometheus at http://prometheus:9090 got no new scrape of job "api"';
  expect(stderr).toContain(reason);
});

it('up prints the verification table again, also after down', async () => {
  expect(await project.stack(['down'])).toMatchObject({ exitCode: 0 });
  expect(await project.containers()).toEqual([]);
  expect((await project.up()).stdout).toMatch(row('code="404"', 33, 33, 0));
});

it('up with API_WORKERS=2 makes the API a cluster and verifies it, and Prometheus scrapes its last counts', async () => {
  // On a busy machine a scrape may take long.
  await expectPassed(await project.up({ API_WORKERS: '2', SHUTDOWN_SCRAPE_WAIT_MS: '60000' }));
  await expectValue(project.prometheusUrl, 'count(process_cpu_seconds_total{job="api"})', 3);
  const counted = 'sum(last_over_time(http_requests_total[1h]))';
  const before = await value(counted);
  for (let n = 0; n < 5; n++) await axios.get(`${project.url('API_HOST_PORT')}/cart`);
  const api = await project.container('api');
  await docker('stop', api);
  // The response to the last scrape may not be stored yet.
  await expectValue(project.prometheusUrl, counted, before + 5);
  await docker('start', api);
});

it('up with a setting that the API refuses shows its message, and reports that containers have stopped', async () => {
  const { exitCode, stderr } = await project.stack(['up'], { SIMULATED_ERROR_RATIO: 'often' });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/SIMULATED_ERROR_RATIO: expected .*"often"/);
  expect(stderr).toContain('some containers that were running before have stopped');
});
