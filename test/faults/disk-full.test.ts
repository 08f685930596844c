// The disk of Prometheus is full, under load. Whoever looks is told, the API does not notice, and when there is room again
// Prometheus goes on.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createProject, docker, type Project, removeProject, stackCommand } from '../support/commands.ts';
import { figure, firing, loadWhile, onlyContainerOf, outcome, seconds } from '../support/faults.ts';
import { inspect } from '../support/inspect.ts';
import { eventually, nextScrape, query } from '../support/prometheus-api.ts';
import { settingOf } from '../support/repository.ts';

const startTimeoutMs = 180_000;
const faultTimeoutMs = 600_000;
const removeTimeoutMs = 90_000;

const RATE = 100;
const SECONDS = 180;
/** Room for the file of 128 MB that Prometheus makes for its first full chunks, and some more. */
const DISK_MB = 256;

let project: Project;
let prometheusUrl: string;
/** Keeps the disk mounted: it is memory, and would be empty again where a container that has it ends. */
let keeper: string;

beforeAll(async () => {
  project = await createProject('disk');
  prometheusUrl = `http://127.0.0.1:${project.ports.PROMETHEUS_HOST_PORT}`;
  // A small disk, in the place of the volume that Compose would make.
  const labels = [`com.docker.compose.project=${project.name}`, 'com.docker.compose.volume=prometheus-data'];
  const options = ['type=tmpfs', 'device=tmpfs', `o=size=${DISK_MB}m,uid=65534,gid=65534`];
  await docker(
    ...['volume', 'create', ...labels.flatMap((label) => ['--label', label])],
    ...[...options.flatMap((option) => ['--opt', option]), `${project.name}_prometheus-data`],
  );
  const run = ['run', '--detach', '--rm', '--network', 'none', '--user', '65534:65534'];
  const disk = ['--volume', `${project.name}_prometheus-data:/prometheus`];
  keeper = await docker(...run, ...disk, '--entrypoint', 'sleep', settingOf('NODE_IMAGE'), 'infinity');
  expect(await stackCommand(project, ['up'])).toMatchObject({ exitCode: 0 });
}, startTimeoutMs);

afterAll(async () => {
  await docker('rm', '--force', keeper);
  await removeProject(project);
}, removeTimeoutMs);

it(
  "a full disk of Prometheus is said by its health and by an alert, and fails no request of the API's",
  async () => {
    const prometheus = await onlyContainerOf(project, 'prometheus');
    const shell = (command: string) => docker('exec', keeper, 'sh', '-c', command);
    const isHealth = async (status: string) =>
      (await inspect(prometheus)).State.Health?.Status === status ? true : undefined;
    // Without it, Prometheus would soon want to make it, end with a panic, and be restarted; then it stores nothing as well.
    await eventually(
      'the first file of chunks',
      async () => ((await shell('ls /prometheus/chunks_head')) === '' ? undefined : true),
      240_000,
    );
    const { report } = await loadWhile(
      project,
      ['--rate', String(RATE), '--duration', `${SECONDS}s`, '--wait', '60s'],
      async () => {
        // Whatever takes it: it ends with "no space left".
        await shell(`head -c ${DISK_MB}M /dev/zero >/prometheus/ballast`).catch(() => undefined);
        const fullMs = performance.now();
        const alert = await firing(prometheusUrl, 'PrometheusStoresNothing', 90_000);
        expect(alert.labels.severity).toBe('page');
        await eventually('an unhealthy Prometheus', () => isHealth('unhealthy'), 150_000);
        figure(`unhealthy after ${seconds(performance.now() - fullMs)}`);
        expect((await query(prometheusUrl, 'ALERTS{alertname="ApiTargetMissing"}')).length).toBe(0);
        await shell('rm /prometheus/ballast');
        await nextScrape(prometheusUrl);
      },
    );
    figure(outcome(report));
    expect(report.phases[0]).toMatchObject({ sent: RATE * SECONDS, errors: 0, dropped: 0 });
    expect(report.verification).toMatchObject({ verdict: 'verified', answered: RATE * SECONDS });
    await eventually('a healthy Prometheus', () => isHealth('healthy'));
    figure(`restarted ${(await inspect(prometheus)).RestartCount} times`);
  },
  faultTimeoutMs,
);
