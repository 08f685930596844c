/**
 * The measures of docs/security.md, each as a check of running containers, by the engine's report about them and the
 * kernel's report about their first process.
 */
import { expect } from '@jest/globals';
import { docker } from './command.ts';
import { type Container, filesOf } from './inspect.ts';
import { read } from './repository.ts';

export type Check = (containers: readonly Container[], projectName: string) => void | Promise<void>;

/** Compares a value of every container with the expected one; a difference names the service. */
function each(
  containers: readonly Container[],
  read: (one: Container) => [found: unknown, expected: unknown],
) {
  const part = (i: 0 | 1) => Object.fromEntries(containers.map((one) => [one.service, read(one)[i]]));
  expect(part(0)).toEqual(part(1));
}
const every =
  (found: (one: Container) => unknown, expected: unknown): Check =>
  (containers) =>
    each(containers, (one) => [found(one), expected]);

/** Images that are built here, with the project's name. */
const isOurs = ({ Config }: Container) =>
  Config.Image.startsWith(`${Config.Labels['com.docker.compose.project']}/`);

/** The generator works on files of the user that started it, and as that user. */
const isGenerator = ({ service }: Container) => service === 'loadgen';
const [caller, isRoot] = [`${process.getuid?.()}:${process.getgid?.()}`, process.getuid?.() === 0];

const SECRET = /secret|token|passw|credential|private|_key=/i;
const KEY_FILE = /(^|\/)(\.npmrc|\.env|\.git|\.netrc|\.docker|id_\w+|.*\.(key|p12|pfx))(\/|$)/;
/** The password of Grafana is empty unless the user sets it. */
const isSuspicious = (line: string) => SECRET.test(line) && line !== 'GF_SECURITY_ADMIN_PASSWORD=';
const UNWANTED = new RegExp(
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

/** By the first cell of the row. */
export const checks: Readonly<Record<string, Check>> = {
  'no root user': (containers) =>
    each(containers, (one) => {
      const found = [one.Config.User, one.status.Uid];
      const unprivileged = [
        expect.stringMatching(/^[1-9]\d*:\d+$/),
        expect.stringMatching(/^([1-9]\d*)(\s+\1){3}$/),
      ];
      return isGenerator(one) ? [found[0], caller] : [found, unprivileged];
    }),
  'read-only root': every(
    ({ HostConfig, write }) => [HostConfig.ReadonlyRootfs, write],
    [true, expect.stringMatching(/read-only file system/i)],
  ),
  'no capabilities': (containers) => {
    const capabilities = ({ HostConfig: { CapDrop, CapAdd }, status }: Container) => {
      const sets = [status.CapEff, status.CapPrm, status.CapBnd];
      return [CapDrop, CapAdd, ...sets.map((set) => Number.parseInt(set ?? '', 16))];
    };
    const override = [['ALL'], ['CAP_DAC_OVERRIDE'], 2, 2, 2];
    const none = [['ALL'], null, 0, 0, 0];
    each(containers, (one) => [capabilities(one), isGenerator(one) && isRoot ? override : none]);
  },
  'no new privileges': every(
    ({ HostConfig, status }) => [HostConfig.SecurityOpt, status.NoNewPrivs],
    [['no-new-privileges:true'], '1'],
  ),
  'system calls filtered': every(({ status }) => status.Seccomp, '2'),
  'bounded processes': (containers) =>
    each(containers, (one) => {
      const bound = isGenerator(one) ? 1024 : 256;
      return [
        [one.HostConfig.PidsLimit, Number(one.pidsMax)],
        [bound, bound],
      ];
    }),
  'bounded memory': every(({ HostConfig: { Memory: bytes } }) => bytes > 64e6 && bytes <= 2 ** 30, true),
  'bounded logs': every(({ HostConfig }) => HostConfig.LogConfig, {
    Type: 'json-file',
    Config: { 'max-file': '3', 'max-size': '10m' },
  }),
  'no engine socket': every(
    ({ Mounts }) =>
      Mounts.flatMap(({ Source, Destination }) => [Source, Destination]).filter((path) =>
        /\.sock$|^(\/var)?\/run(\/|$)/.test(path),
      ),
    [],
  ),
  'no namespace of the host': (containers, projectName) => {
    const own = { Privileged: false, NetworkMode: `${projectName}_default` };
    const namespaces = { PidMode: '', IpcMode: 'private', UsernsMode: '' };
    each(containers, ({ HostConfig }) => [HostConfig, expect.objectContaining({ ...own, ...namespaces })]);
  },
  'ports on loopback only': (containers) => {
    const bound = containers.flatMap(({ service, NetworkSettings }) =>
      Object.values(NetworkSettings.Ports).flatMap(
        (ports) => ports?.map(({ HostIp }) => [service, HostIp]) ?? [],
      ),
    );
    expect(bound.length).toBeGreaterThanOrEqual(5);
    expect([...new Set(bound.map(([, address]) => address))]).toEqual(['127.0.0.1']);
    expect(bound.map(([service]) => service)).not.toContain('loadgen');
  },
  'read-only mounts': (containers) => {
    const writable = containers.flatMap(({ service, Mounts }) =>
      Mounts.filter(({ RW }) => RW).map((mount) => ({ service, ...mount })),
    );
    const folders = writable.filter(({ Type }) => Type === 'bind');
    // The current folder, and the one for reports.
    expect(folders.map(({ service }) => service)).toEqual(['loadgen', 'loadgen']);
    expect(folders.map(({ Source, Destination }) => Source === Destination)).toEqual([true, true]);
    const volumes = writable.filter(({ Type }) => Type === 'volume').map(({ Destination }) => Destination);
    const hasGrafana = containers.some(({ service }) => service === 'grafana');
    const expected = [
      '/alertmanager',
      '/prometheus',
      '/var/lib/loadgen',
      ...(hasGrafana ? ['/var/lib/grafana'] : []),
    ];
    expect(volumes.sort()).toEqual(expected.sort());
  },
  'no secret in image or environment': async (containers) => {
    every(({ Config }) => (Config.Env ?? []).filter(isSuspicious), [])(containers, '');
    for (const { service, Id, Image } of containers.filter(isOurs)) {
      const history = await docker('history', '--no-trunc', '--format', '{{.CreatedBy}}', Image);
      expect([service, history.split('\n').filter((line) => SECRET.test(line))]).toEqual([service, []]);
      expect([service, (await filesOf(Id)).filter((file) => KEY_FILE.test(file))]).toEqual([service, []]);
    }
  },
  'pinned images': (containers) => {
    const images = read('.env').match(/^[A-Z]+_IMAGE=.*$/gm) ?? [];
    expect(images.sort()).toEqual([
      expect.stringMatching(/^ALERTMANAGER_IMAGE=prom\/alertmanager:v\d+\.\d+\.\d+$/),
      expect.stringMatching(/^GRAFANA_IMAGE=grafana\/grafana:\d+\.\d+\.\d+$/),
      expect.stringMatching(/^NODE_IMAGE=node:24-trixie-slim$/),
      expect.stringMatching(/^PROMETHEUS_IMAGE=prom\/prometheus:v\d+\.\d+\.\d+$/),
    ]);
    const others = containers.filter((container) => !isOurs(container));
    every(({ Config }) => Config.Image, expect.stringMatching(/:(?!latest)[\w.-]+$/))(others, '');
  },
  'slim images': async (containers) => {
    const slim = containers.filter(isOurs);
    expect(slim.map(({ service }) => service).sort()).toEqual(['api', 'loadgen']);
    for (const { service, Id, Image } of slim) {
      const files = await filesOf(Id);
      expect(files.length).toBeGreaterThan(100);
      expect([service, files.filter((file) => UNWANTED.test(file))]).toEqual([service, []]);
      const sizeMb = Number(await docker('image', 'inspect', '--format', '{{.Size}}', Image)) / 1e6;
      expect(sizeMb).toBeLessThan(180);
    }
  },
};
