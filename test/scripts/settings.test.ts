/** The settings of the scripts: how .env is read, and which values are refused before anything starts. */
import { copyFile, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { repositoryRoot } from '../support/repository.ts';
import { useSandbox } from './sandbox.ts';

const box = useSandbox();

/** Runs a script after settings.sh has read the .env of the folder. */
const withSettings = (script: string, variables: Record<string, string> = {}) =>
  box.shell(['console'], `root=$HOME; . '${repositoryRoot}/scripts/settings.sh'; ${script}`, variables);
const accepted = { code: 0, out: '', err: '' };
/** The message about these settings, which are refused with status 2. */
async function refusal(variables: Record<string, string>): Promise<string> {
  const { code, out, err } = await withSettings('check_settings', variables);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  return err;
}

beforeEach(() => copyFile(`${repositoryRoot}/.env`, box.path('.env')));

describe('a value of .env', () => {
  it.each([
    ['that ends in =', 'SECRET=cGFzc3dvcmQ=', 'cGFzc3dvcmQ='],
    ['that holds several =', 'SECRET==a=b==', '=a=b=='],
    ['with spaces around words', 'SECRET=two  words ', 'two  words '],
    ['with a backslash', 'SECRET=a\\b', 'a\\b'],
    ['in double quotes', 'SECRET="a b="', 'a b='],
    ['in single quotes', "SECRET='a b'", 'a b'],
    ['that is empty', 'SECRET=', ''],
  ])('%s is kept unchanged', async (_, line, value) => {
    await writeFile(box.path('.env'), `# a comment\n\n${line}`);
    expect((await withSettings('printf "[%s]" "$SECRET"')).out).toBe(`[${value}]`);
  });

  it('is overridden by the environment, and is exported', async () => {
    await writeFile(box.path('.env'), 'A=1\nB=2\n');
    expect((await withSettings('sh -c \'echo "$A $B"\'', { A: 'x=' })).out).toBe('x= 2\n');
  });
});

it('.env.local takes precedence over .env, and the environment over both', async () => {
  await writeFile(box.path('.env'), 'A=1\nB=1\nC=1\n');
  await writeFile(box.path('.env.local'), 'B=2\nC=2\nD=2');
  expect((await withSettings('sh -c \'echo "$A $B $C $D"\'', { C: '3' })).out).toBe('1 2 3 2\n');
});

it.each([
  ['prom/prometheus:v3.13.5', 'created-timestamp-zero-ingestion,native-histograms,exemplar-storage'],
  ['observability-stack/prometheus:3-debian', 'native-histograms,exemplar-storage'],
])('Prometheus of the image %s has the features that do not crash it', async (image, features) => {
  const { out } = await withSettings('prometheus_features', { PROMETHEUS_IMAGE: image });
  expect(out).toBe(`${features}\n`);
});

describe('the name of the stack', () => {
  it.each(['a', '2nd', 'my-stack_2', 'a--b', 'a__b'])('may be "%s"', async (name) => {
    expect(await withSettings('check_settings', { COMPOSE_PROJECT_NAME: name })).toEqual(accepted);
  });

  it.each(['', 'My-stack', '-a', 'a_', 'a b', 'a/b', 'a_-b', 'a\nb', '..'])(
    'must not be "%s"',
    async (name) => {
      const expected = 'expected lower-case letters and digits, with "-" or "_" between them';
      const err = await refusal({ COMPOSE_PROJECT_NAME: name });
      expect(err).toBe(`COMPOSE_PROJECT_NAME: ${expected}, got "${name}"\n`);
    },
  );
});

describe('ports', () => {
  it('are one per replica', async () => {
    const ranges = 'check_settings; echo "$(port_range API_HOST_PORT) $(port_range GRAFANA_HOST_PORT)"';
    expect(await withSettings(ranges, { API_REPLICAS: '3' })).toMatchObject({ out: '5001-5003 3000\n' });
    expect(await withSettings(ranges)).toMatchObject({ out: '5001 3000\n' });
  });

  const numbers = ['5001-5003', '0', '01', '-1', '1e3', '65536', '999999999999999999999', '$(id)', ''];
  it.each(numbers)('and numbers of replicas must not be "%s", and each is reported', async (value) => {
    expect(await refusal({ API_REPLICAS: value, GRAFANA_HOST_PORT: value })).toBe(
      `API_REPLICAS: expected a whole number from 1 to 65535, got "${value}"
GRAFANA_HOST_PORT: expected a port from 1 to 65535, got "${value}"\n`,
    );
  });

  const overlap =
    'METRICS_HOST_PORT: expected ports that no other setting uses, got 8000-8002, which overlaps';
  it.each([
    [{ API_REPLICAS: '3', API_HOST_PORT: '7998' }, `${overlap} API_HOST_PORT=7998-8000\n`],
    [
      { API_REPLICAS: '3', PROMETHEUS_HOST_PORT: '8002' },
      '8002, which overlaps METRICS_HOST_PORT=8000-8002\n',
    ],
    [
      { API_REPLICAS: '3', API_HOST_PORT: '65534' },
      'expected ports up to 65535 for 3 replicas, got 65534-65536\n',
    ],
  ])('must not overlap or exceed 65535: %j', async (variables, err) => {
    expect(await refusal(variables)).toContain(err);
  });
});

it.each([
  [{}, ''],
  [
    { REMOTE_WRITE_URL: 'https://store/push', REMOTE_WRITE_CREDENTIALS: 'x', REMOTE_WRITE_USERNAME: 'me' },
    '',
  ],
  [{ REMOTE_WRITE_USERNAME: 'me', CLUSTER_NAME: '' }, ''],
  [{ REMOTE_WRITE_URL: 'store:9090' }, 'REMOTE_WRITE_URL: expected an http or https URL, got "store:9090"\n'],
  [
    {
      REMOTE_WRITE_URL: 'http://store/push',
      REMOTE_WRITE_USERNAME: 'me',
      CLUSTER_NAME: '',
      REMOTE_WRITE_NATIVE_HISTOGRAMS: '1',
    },
    'REMOTE_WRITE_NATIVE_HISTOGRAMS: expected true or false, got "1"\n' +
      'CLUSTER_NAME: expected a name with REMOTE_WRITE_URL, got ""\n' +
      'REMOTE_WRITE_CREDENTIALS: expected the password of REMOTE_WRITE_USERNAME=me, got ""\n',
  ],
])('reports wrong settings of remote write, %j', async (variables, err) => {
  const refused = { code: 2, out: '', err };
  expect(await withSettings('check_settings', variables)).toEqual(err === '' ? accepted : refused);
});

it("Alertmanager's configuration must be a file, relative to the root, and is checked with ALERTS=1", async () => {
  const mine = { ALERTMANAGER_CONFIG: './mine.yml' };
  expect(await withSettings('check_settings', mine)).toEqual(accepted);
  const expected = 'ALERTMANAGER_CONFIG: expected a file, got "./mine.yml"\n';
  expect(await refusal({ ...mine, ALERTS: '1' })).toBe(expected);
  await writeFile(box.path('mine.yml'), '');
  expect(await withSettings('check_settings', { ...mine, ALERTS: '1' })).toEqual(accepted);
});
