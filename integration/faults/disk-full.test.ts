// The disk of Prometheus is full, under load. Whoever looks is told, the API does not notice, and when there is room again
// Prometheus goes on.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createProject, docker, type Project, removeProject, stackCommand } from '../src/commands.ts';
import { firing, inspect, loadWhile, onlyContainerOf } from '../src/faults.ts';
import { eventually, nextScrape, query } from '../src/prometheus-api.ts';

const startTimeoutMs = 180_000;
const faultTimeoutMs = 300_000;
const removeTimeoutMs = 90_000;

const RATE = 100;
const DISK_MB = 48;

let project: Project;
let prometheusUrl: string;

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
  expect(await stackCommand(project, ['up'])).toMatchObject({ exitCode: 0 });
}, startTimeoutMs);

afterAll(() => removeProject(project), removeTimeoutMs);

it(
  "a full disk of Prometheus is said by its health and by an alert, and fails no request of the API's",
  async () => {
    const prometheus = await onlyContainerOf(project, 'prometheus');
    const shell = (command: string) => docker('exec', prometheus, 'sh', '-c', command);
    const { report, exitCode } = await loadWhile(
      project,
      ['--rate', String(RATE), '--duration', '150s', '--wait', '60s'],
      async () => {
        // Whatever takes it: it ends with "no space left".
        await shell(`head -c ${DISK_MB}M /dev/zero >/prometheus/ballast`).catch(() => undefined);
        const alert = await firing(prometheusUrl, 'PrometheusStoresNothing', 90_000);
        expect(alert.labels.severity).toBe('page');
        await eventually(
          'an unhealthy Prometheus',
          async () => ((await inspect(prometheus)).State.Health?.Status === 'unhealthy' ? true : undefined),
          90_000,
        );
        expect((await query(prometheusUrl, 'ALERTS{alertname="ApiTargetMissing"}')).length).toBe(0);
        await shell('rm /prometheus/ballast');
        await nextScrape(prometheusUrl);
      },
    );
    expect(report.phases[0]).toMatchObject({ sent: RATE * 150, errors: 0, dropped: 0 });
    expect(report.proof).toMatchObject({ verdict: 'proved', answered: RATE * 150 });
    expect(exitCode).toBe(0);
    await eventually('a healthy Prometheus', async () =>
      (await inspect(prometheus)).State.Health?.Status === 'healthy' ? true : undefined,
    );
  },
  faultTimeoutMs,
);
