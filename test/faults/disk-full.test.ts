// Prometheus' disk is full, under load: its health and an alert report it, the API is not affected, and Prometheus continues
// when there is space again.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { docker } from '../support/command.ts';
import { firing, loadWhile } from '../support/faults.ts';
import { inspect } from '../support/inspect.ts';
import { Project } from '../support/project.ts';
import { nextScrape, query } from '../support/prometheus.ts';
import { settingOf } from '../support/repository.ts';
import { eventually } from '../support/until.ts';

const RATE = 100;
const SECONDS = 180;
/** Enough for the file of 128 MB that Prometheus creates for its first full chunks, and little more. */
const DISK_MB = 256;

let project: Project;
/** Keeps the disk mounted: it is memory, whose content would be lost with its last container. */
let keeper: string;

beforeAll(async () => {
  project = await Project.create('disk');
  const volume = `${project.name}_prometheus-data`;
  // A small disk in place of the volume that Compose would create.
  const labels = [`com.docker.compose.project=${project.name}`, 'com.docker.compose.volume=prometheus-data'];
  const options = ['type=tmpfs', 'device=tmpfs', `o=size=${DISK_MB}m,uid=65534,gid=65534`];
  const flags = [...labels.map((label) => `--label=${label}`), ...options.map((option) => `--opt=${option}`)];
  await docker('volume', 'create', ...flags, volume);
  const run = ['run', '--detach', '--rm', '--network', 'none', '--user', '65534:65534'];
  const disk = ['--volume', `${volume}:/prometheus`];
  keeper = await docker(...run, ...disk, '--entrypoint', 'sleep', settingOf('NODE_IMAGE'), 'infinity');
  await project.up();
});

afterAll(async () => {
  await docker('rm', '--force', keeper);
  await project.remove();
});

it('a full disk of Prometheus shows in its health and an alert, and fails no request to the API', async () => {
  const prometheus = await project.container('prometheus');
  const shell = (command: string) => docker('exec', keeper, 'sh', '-c', command);
  const isHealth = async (status: string) => (await inspect(prometheus)).State.Health?.Status === status;
  // Without this file, Prometheus would try to create it, panic, restart, and store nothing either.
  const hasChunks = async () => (await shell('ls /prometheus/chunks_head')) !== '';
  await eventually('the first file of chunks', hasChunks);
  const words = ['--rate', String(RATE), '--duration', `${SECONDS}s`, '--wait', '60s'];
  const { report, phase } = await loadWhile(project, words, async () => {
    // The command fills the disk: it ends with "no space left".
    await shell(`head -c ${DISK_MB}M /dev/zero >/prometheus/ballast`).catch(() => undefined);
    const [alert] = await eventually('PrometheusStoresNothing', async () => {
      const found = await firing(project.prometheusUrl, 'PrometheusStoresNothing');
      return found.length > 0 && found;
    });
    expect(alert?.labels.severity).toBe('page');
    await eventually('an unhealthy Prometheus', () => isHealth('unhealthy'));
    expect(await query(project.prometheusUrl, 'ALERTS{alertname="ApiTargetMissing"}')).toEqual([]);
    await shell('rm /prometheus/ballast');
    await nextScrape(project.prometheusUrl);
  });
  expect(phase).toMatchObject({ sent: RATE * SECONDS, errors: 0, dropped: 0 });
  expect(report.verification).toMatchObject({ verdict: 'verified', answered: RATE * SECONDS });
  await eventually('a healthy Prometheus', () => isHealth('healthy'));
});
