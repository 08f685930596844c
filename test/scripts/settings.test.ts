/** The settings of the scripts: how .env is read, and what is refused before anything starts. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const PATH = process.env.PATH;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'settings-'));
});
afterEach(() => rm(folder, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a script after settings.sh has read the .env of a folder. */
function withSettings(script: string, environment: Record<string, string> = {}): Promise<Ended> {
  const source = `set -u; root='${folder}'; . '${repository}/scripts/settings.sh'; ${script}`;
  return new Promise((resolve) => {
    execFile('sh', ['-c', source], { env: { PATH, ...environment } }, (error, out, err) =>
      resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });
}

describe('a value of .env', () => {
  it.each([
    ['that ends in =', 'SECRET=cGFzc3dvcmQ=', 'cGFzc3dvcmQ='],
    ['that holds several =', 'SECRET==a=b==', '=a=b=='],
    ['with spaces around words', 'SECRET=two  words ', 'two  words '],
    ['with a backslash', 'SECRET=a\\b', 'a\\b'],
    ['in double quotes', 'SECRET="a b="', 'a b='],
    ['in single quotes', "SECRET='a b'", 'a b'],
    ['that is empty', 'SECRET=', ''],
  ])('%s is kept whole', async (_, line, value) => {
    await writeFile(join(folder, '.env'), `# a comment\n\n${line}`);
    expect((await withSettings('printf "[%s]" "$SECRET"')).out).toBe(`[${value}]`);
  });

  it('gives way to the environment, and is exported', async () => {
    await writeFile(join(folder, '.env'), 'A=1\nB=2\n');
    expect((await withSettings('sh -c \'echo "$A $B"\'', { A: 'x=' })).out).toBe('x= 2\n');
  });
});

describe('the name of the stack', () => {
  const check = async (name: string) => {
    await writeFile(join(folder, '.env'), await readFile(join(repository, '.env')));
    return withSettings('check_settings', { COMPOSE_PROJECT_NAME: name });
  };

  it.each(['a', '2nd', 'my-stack_2', 'a--b', 'a__b'])('may be "%s"', async (name) => {
    expect(await check(name)).toEqual({ code: 0, out: '', err: '' });
  });

  it.each(['', 'My-stack', '-a', 'a_', 'a b', 'a/b', 'a_-b', 'a\nb', '..'])(
    'must not be "%s"',
    async (name) => {
      expect(await check(name)).toEqual({
        code: 2,
        out: '',
        err: `COMPOSE_PROJECT_NAME: expected lower-case letters and digits, with "-" or "_" between them, got "${name}"\n`,
      });
    },
  );

  it('is read from .env', async () => {
    await writeFile(join(folder, '.env'), 'COMPOSE_PROJECT_NAME=from-the-file\n');
    expect((await withSettings('echo "$COMPOSE_PROJECT_NAME"')).out).toBe('from-the-file\n');
  });
});

describe('port ranges', () => {
  const check = async (environment: Record<string, string>) => {
    await writeFile(join(folder, '.env'), await readFile(join(repository, '.env')));
    return withSettings(
      'check_settings; echo "$(port_range API_HOST_PORT) $(port_range METRICS_HOST_PORT)"',
      environment,
    );
  };

  it('are as wide as there are replicas', async () => {
    expect(await check({ API_REPLICAS: '3' })).toEqual({ code: 0, out: '5001-5003 8000-8002\n', err: '' });
    expect((await check({})).out).toBe('5001 8000\n');
    expect((await check({ API_REPLICAS: '3', API_HOST_PORT: '7001-7009' })).out).toBe(
      '7001-7009 8000-8002\n',
    );
  });

  it.each([
    [
      'given as ranges',
      { API_HOST_PORT: '5001-5003', PROMETHEUS_HOST_PORT: '5002' },
      'PROMETHEUS_HOST_PORT: expected ports that no other setting names, got 5002, which meets API_HOST_PORT=5001-5003\n',
    ],
    [
      'that replicas widen',
      { API_REPLICAS: '3', API_HOST_PORT: '7998' },
      'METRICS_HOST_PORT: expected ports that no other setting names, got 8000-8002, which meets API_HOST_PORT=7998-8000\n',
    ],
    [
      'of one port',
      { GRAFANA_HOST_PORT: '9090' },
      'GRAFANA_HOST_PORT: expected ports that no other setting names, got 9090, which meets PROMETHEUS_HOST_PORT=9090\n',
    ],
  ])('%s must not overlap', async (_, environment, err) => {
    expect(await check(environment)).toEqual({ code: 2, out: '', err });
  });

  it.each(['5003-5001', '5001-70000', '5001-', '0', '5001-x', 'many'])('"%s" is none', async (value) => {
    expect(await check({ API_HOST_PORT: value })).toMatchObject({
      code: 2,
      err: `API_HOST_PORT: expected a port from 1 to 65535, or a range such as 5001-5003, got "${value}"\n`,
    });
  });

  it('must have a port for each replica', async () => {
    expect(await check({ API_REPLICAS: '3', METRICS_HOST_PORT: '8000-8001' })).toEqual({
      code: 2,
      out: '',
      err: 'METRICS_HOST_PORT: expected a port for each of 3 replicas, got 8000-8001\n',
    });
  });

  it.each(['0', '01', '-1', '1e3', '65536', '99999', '999999999999999999999', '$(x)'])(
    'are needed for a number of replicas, which "%s" is not',
    async (value) => {
      expect(await check({ API_REPLICAS: value })).toMatchObject({
        code: 2,
        err: `API_REPLICAS: expected a whole number from 1 to 65535, got "${value}"\n`,
      });
    },
  );

  it('must end at a port', async () => {
    expect((await check({ API_REPLICAS: '3', API_HOST_PORT: '65534' })).err).toContain('got "65534"');
  });
});

describe("Alertmanager's configuration", () => {
  it.each([
    ['is not looked at without ALERTS=1', {}, { code: 0, err: '' }],
    [
      'has to be a file',
      { ALERTS: '1' },
      { code: 2, err: 'ALERTMANAGER_CONFIG: expected a file, got "./mine.yml"\n' },
    ],
  ])('%s', async (_, environment, expected) => {
    await writeFile(join(folder, '.env'), await readFile(join(repository, '.env')));
    expect(
      await withSettings('check_settings', { ALERTMANAGER_CONFIG: './mine.yml', ...environment }),
    ).toMatchObject(expected);
  });

  it('is a file of this machine, its path from the root of the repository', async () => {
    await writeFile(join(folder, '.env'), await readFile(join(repository, '.env')));
    await writeFile(join(folder, 'mine.yml'), '');
    const ended = await withSettings('check_settings', { ALERTS: '1', ALERTMANAGER_CONFIG: './mine.yml' });
    expect(ended).toEqual({ code: 0, out: '', err: '' });
  });
});
