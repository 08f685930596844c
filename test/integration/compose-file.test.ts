// The configuration that Compose derives from docker-compose.yml and a setting, without containers.
import { expect, it } from '@jest/globals';
import { run } from '../support/command.ts';
import { remoteWriteOverride, repositoryRoot } from '../support/repository.ts';

it.each([
  ['10000', '10000', '25s'],
  ['30000', '10000', '45s'],
  ['1500', '0', '6.5s'],
])(
  'an API with %s ms to finish its requests and %s ms for a last scrape is killed after %s at the earliest',
  async (SHUTDOWN_GRACE_MS, SHUTDOWN_SCRAPE_WAIT_MS, period) => {
    const settings = { ...process.env, SHUTDOWN_GRACE_MS, SHUTDOWN_SCRAPE_WAIT_MS };
    const { stdout } = await run('docker', ['compose', 'config', '--format', 'json'], settings);
    expect(JSON.parse(stdout).services.api.stop_grace_period).toBe(period);
  },
);

it.each(['', 'https://store/push'])(
  'Prometheus forwards samples to REMOTE_WRITE_URL="%s" if it is set',
  async (url) => {
    const settings = { ...process.env, REMOTE_WRITE_URL: url, REMOTE_WRITE_CREDENTIALS: "it's" };
    const script = `root=${repositoryRoot}; . scripts/settings.sh; compose config --format json`;
    const { stdout } = await run('sh', ['-c', script], settings);
    const { entrypoint, environment } = JSON.parse(stdout).services.prometheus;
    expect(entrypoint).toEqual(url === '' ? null : remoteWriteOverride.entrypoint);
    const given = { REMOTE_WRITE_URL: url, REMOTE_WRITE_CREDENTIALS: "it's", CLUSTER_NAME: 'local' };
    if (url !== '') expect(environment).toMatchObject(given);
  },
);
