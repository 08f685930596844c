/**
 * The measures of docs/security.md, each as a check of running containers: what the engine reports about them, and what the
 * kernel reports about their first process.
 */
import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { docker } from './command.ts';
import { type Container, filesOf } from './inspect.ts';
import { repositoryRoot } from './repository.ts';

export type Check = (containers: readonly Container[], projectName: string) => void | Promise<void>;

/** By the name of the service, so that a difference names it. */
const byService = <T>(containers: readonly Container[], read: (container: Container) => T) =>
  Object.fromEntries(containers.map((container) => [container.service, read(container)]));

/** Every container has this value. */
function same<T>(
  containers: readonly Container[],
  read: (container: Container) => T,
  expected: unknown,
): void {
  expect(byService(containers, read)).toEqual(byService(containers, () => expected));
}

/** Built here, under the project's name, and therefore ours to keep small. */
const isOurs = ({ Config }: Container) =>
  Config.Image.startsWith(`${Config.Labels['com.docker.compose.project']}/`);

/** The generator works on files of the user that started it, and as that user. */
const isGenerator = ({ service }: Container) => service === 'loadgen';
const [caller, isRoot] = [`${process.getuid?.()}:${process.getgid?.()}`, process.getuid?.() === 0];
const others = (containers: readonly Container[]) => containers.filter((one) => !isGenerator(one));

/** By the first cell of the row. */
export const checks: Readonly<Record<string, Check>> = {
  'no root user': (containers) => {
    same(others(containers), ({ Config }) => Config.User, expect.stringMatching(/^[1-9]\d*:\d+$/));
    same(others(containers), ({ status }) => status.Uid, expect.stringMatching(/^([1-9]\d*)(\s+\1){3}$/));
    same(containers.filter(isGenerator), ({ Config }) => Config.User, caller);
  },
  'read-only root': (containers) => {
    same(containers, ({ HostConfig }) => HostConfig.ReadonlyRootfs, true);
    same(containers, ({ write }) => write, expect.stringMatching(/read-only file system/i));
  },
  'no capabilities': (containers) => {
    const capabilities = ({ HostConfig: { CapDrop, CapAdd }, status }: Container) => {
      const sets = [status.CapEff, status.CapPrm, status.CapBnd];
      return [CapDrop, CapAdd, ...sets.map((set) => Number.parseInt(set ?? '', 16))];
    };
    const none = [['ALL'], null, 0, 0, 0];
    same(others(containers), capabilities, none);
    const override = [['ALL'], ['CAP_DAC_OVERRIDE'], 2, 2, 2];
    same(containers.filter(isGenerator), capabilities, isRoot ? override : none);
  },
  'no new privileges': (containers) => {
    same(containers, ({ HostConfig }) => HostConfig.SecurityOpt, ['no-new-privileges:true']);
    same(containers, ({ status }) => status.NoNewPrivs, '1');
  },
  'system calls filtered': (containers) => {
    same(containers, ({ status }) => status.Seccomp, '2');
  },
  'bounded processes': (containers) => {
    const bounds = byService(containers, ({ service }) => (service === 'loadgen' ? 1024 : 256));
    expect(byService(containers, ({ HostConfig }) => HostConfig.PidsLimit)).toEqual(bounds);
    expect(byService(containers, ({ pidsMax }) => Number(pidsMax))).toEqual(bounds);
  },
  'bounded memory': (containers) => {
    for (const { service, HostConfig } of containers) {
      expect([service, HostConfig.Memory > 64e6]).toEqual([service, true]);
      expect([service, HostConfig.Memory <= 2 ** 30]).toEqual([service, true]);
    }
  },
  'bounded logs': (containers) => {
    const bound = { Type: 'json-file', Config: { 'max-file': '3', 'max-size': '10m' } };
    same(containers, ({ HostConfig }) => HostConfig.LogConfig, bound);
  },
  'no engine socket': (containers) => {
    const suspicious = /\.sock$|^(\/var)?\/run(\/|$)/;
    const pathsOf = ({ Mounts }: Container) =>
      Mounts.flatMap(({ Source, Destination }) => [Source, Destination]);
    same(containers, (container) => pathsOf(container).filter((path) => suspicious.test(path)), []);
  },
  'no namespace of the host': (containers, projectName) => {
    const expected = {
      Privileged: false,
      NetworkMode: `${projectName}_default`,
      PidMode: '',
      IpcMode: 'private',
      UsernsMode: '',
    };
    same(containers, ({ HostConfig }) => HostConfig, expect.objectContaining(expected));
  },
  'ports on loopback only': (containers) => {
    const bindings = byService(containers, ({ NetworkSettings }) =>
      Object.values(NetworkSettings.Ports).flatMap((ports) => ports?.map(({ HostIp }) => HostIp) ?? []),
    );
    expect(Object.values(bindings).flat().length).toBeGreaterThanOrEqual(5);
    expect([...new Set(Object.values(bindings).flat())]).toEqual(['127.0.0.1']);
    expect(bindings.loadgen).toEqual([]);
  },
  'read-only mounts': (containers) => {
    const mounts = containers.flatMap(({ service, Mounts }) =>
      Mounts.map((mount) => ({ service, ...mount })),
    );
    const folders = mounts.filter(({ Type, RW }) => Type === 'bind' && RW);
    // The folder that the command is called in, and the one of the reports.
    expect(folders.map(({ service }) => service)).toEqual(['loadgen', 'loadgen']);
    expect(folders.map(({ Source, Destination }) => Source === Destination)).toEqual([true, true]);
    const writable = mounts.filter(({ Type, RW }) => Type === 'volume' && RW);
    expect(writable.map(({ Destination }) => Destination).sort()).toEqual(
      [
        '/alertmanager',
        '/prometheus',
        '/var/lib/loadgen',
        ...(containers.some(({ service }) => service === 'grafana') ? ['/var/lib/grafana'] : []),
      ].sort(),
    );
  },
  'no secret in image or environment': async (containers) => {
    const secret = /secret|token|passw|credential|private|_key=/i;
    // Empty unless its user sets it.
    const isEmpty = (line: string) => line === 'GF_SECURITY_ADMIN_PASSWORD=';
    const suspicious = (line: string) => secret.test(line) && !isEmpty(line);
    same(containers, ({ Config }) => (Config.Env ?? []).filter(suspicious), []);
    for (const { service, Id, Image } of containers.filter(isOurs)) {
      const history = await docker('history', '--no-trunc', '--format', '{{.CreatedBy}}', Image);
      expect([service, history.split('\n').filter((line) => secret.test(line))]).toEqual([service, []]);
      const keys = (await filesOf(Id)).filter((file) =>
        /(^|\/)(\.npmrc|\.env|\.git|\.netrc|\.docker|id_\w+|.*\.(key|p12|pfx))(\/|$)/.test(file),
      );
      expect([service, keys]).toEqual([service, []]);
    }
  },
  'pinned images': (containers) => {
    const images = readFileSync(`${repositoryRoot}/.env`, 'utf8').match(/^[A-Z]+_IMAGE=.*$/gm) ?? [];
    expect(images.sort()).toEqual([
      expect.stringMatching(/^ALERTMANAGER_IMAGE=prom\/alertmanager:v\d+\.\d+\.\d+$/),
      expect.stringMatching(/^GRAFANA_IMAGE=grafana\/grafana:\d+\.\d+\.\d+$/),
      expect.stringMatching(/^NODE_IMAGE=node:24-trixie-slim$/),
      expect.stringMatching(/^PROMETHEUS_IMAGE=prom\/prometheus:v\d+\.\d+\.\d+$/),
    ]);
    for (const { service, Config } of containers.filter((container) => !isOurs(container)))
      expect([service, /:(?!latest)[\w.-]+$/.test(Config.Image)]).toEqual([service, true]);
  },
  'slim images': async (containers) => {
    const unwanted = new RegExp(
      [
        '(^|/)(npm|npx|yarn|corepack|apt|apt-get|dpkg|gcc|cc|g\\+\\+|make|python3?|perl|curl|wget|git)$',
        '^var/(cache|lib/(apt|dpkg))/.',
        '^root/.',
        '\\.(ts|cts|mts|map|tsbuildinfo)$',
        '^srv/.*/(test|src)/.*\\.ts$',
        '^srv/node_modules/.*/(test|tests|benchmark|benchmarks)/.',
        // Packages that only build and test.
        '/node_modules/(typescript|jest|@swc|@types|@biomejs|testcontainers|npm)(/|$)',
        '/(_cacache|\\.cache)/',
      ].join('|'),
    );
    const slim = containers.filter(isOurs);
    expect(slim.map(({ service }) => service).sort()).toEqual(['api', 'loadgen']);
    for (const { service, Id, Image } of slim) {
      const files = await filesOf(Id);
      expect(files.length).toBeGreaterThan(100);
      expect([service, files.filter((file) => unwanted.test(file))]).toEqual([service, []]);
      const sizeMb = Number(await docker('image', 'inspect', '--format', '{{.Size}}', Image)) / 1e6;
      expect(sizeMb).toBeLessThan(180);
    }
  },
};
