/** Every `make k8s-*` command and the acceptance on a cluster, with the real kubectl, as it is on the PATH, and nothing but a KUBECONFIG. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ApiServer, startApiServer } from '../support/kubernetes/api-server.ts';
import type { Stored } from '../support/kubernetes/cluster.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
/** `make test` names the program, and says at its end that these tests were left out where there is none. */
const kubectl = process.env.TEST_KUBECTL;
const whereKubectlIs = kubectl === undefined ? describe.skip : describe;
const MINUTES = 60_000;

const phases = [{ sent: 4, answered: 4, unanswered: 0, dropped: 0, errors: 0 }];
const packed = (text: string) => gzipSync(text).toString('base64');
const log = `verified: every one counted exactly once
report.json:${packed(JSON.stringify({ phases, verification: { verdict: 'verified' } }))}
page.html:${packed('<p>')}
`;

let folder = '';
let server: ApiServer;
/** The load of the acceptance runs until the API was scaled, restarted, and scaled back. */
let loadRuns = false;

function execute(words: string[]): string {
  const query = words.at(-1) ?? '';
  const replicas = server.cluster.find('Deployment', 'api')?.spec?.replicas;
  const asked = Object.entries({
    'count(up{job="api"} == 1)': replicas,
    'count(up{job="api"})': replicas,
    'sum(http_requests_total)': 100,
    'sum(http_errors_total{code="404"})': 33,
    'sum(rate(http_requests_total[15s])) > bool 10': 1,
  }).find(([text]) => text === query);
  const restarted = JSON.stringify(server.cluster.find('Deployment', 'api')).includes('restartedAt');
  if (query === 'count(up{job="api"})' && replicas === 2 && restarted) loadRuns = false;
  return asked === undefined ? '' : `{} => ${asked[1]} @[1]\n`;
}

async function startCluster(): Promise<void> {
  const pattern = () => server.cluster.find('ConfigMap', 'loadgen-settings')?.data?.PATTERN;
  const hasEnded = ({ metadata }: Stored) =>
    metadata.name !== 'loadgen' || pattern() === 'lab\n' || !loadRuns;
  server = await startApiServer({ log: () => log, execute, hasEnded });
  const isDefault = { 'storageclass.kubernetes.io/is-default-class': 'true' };
  const standard = { name: 'standard', annotations: isDefault };
  server.cluster.apply({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: standard });
  server.cluster.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'one' } });
  await writeFile(
    join(folder, 'config'),
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'production',
      clusters: [{ name: 'a', cluster: { server: server.url } }],
      users: [{ name: 'a', user: {} }],
      contexts: [{ name: 'production', context: { cluster: 'a', user: 'a' } }],
    }),
  );
}

async function run(program: string, words: string[], variables: Record<string, string>) {
  const env = {
    PATH: `${dirname(kubectl ?? '')}:${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
    HOME: folder,
    KUBECONFIG: join(folder, 'config'),
    REPORTS_FOLDER: join(folder, 'reports'),
    START_IN: '0',
    KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'true',
    ...variables,
  };
  return await new Promise<{ code: number; out: string; err: string }>((resolve) => {
    execFile(program, words, { env, cwd: repository }, (error, out, err) =>
      resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });
}

const make = (...words: string[]) => run('make', words, { K8S_CONTEXT: 'production' });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'real kubectl '));
  await startCluster();
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

// In this order, as they build on each other.
whereKubectlIs('with the real kubectl', () => {
  it('make k8s-up asks before it touches the current context, which is not local', async () => {
    const { code, err } = await run('make', ['k8s-up'], {});
    expect({ code, changes: server.changes }).toEqual({ code: 2, changes: [] });
    expect(err).toContain(`the context "production" (${server.url}) is not a local cluster`);
  });

  it(
    'make k8s-up applies everything, sends the traffic of the lab and says how to reach it',
    async () => {
      const { code, out, err } = await make('k8s-up');
      expect({ code, out }).toEqual({ code: 0, out: 'verified: every one counted exactly once\n' });
      expect(err).toMatch(/applied: (\d+) objects, \1 new, \1 different/);
      expect(err).toContain('kubectl --context production --namespace observability-stack port-forward');
      expect(server.cluster.find('ConfigMap', 'loadgen-settings')?.data).toMatchObject({ PATTERN: 'lab\n' });
    },
    3 * MINUTES,
  );

  it(
    'make k8s-up again changes nothing',
    async () => {
      server.changes.length = 0;
      const { code, err } = await make('k8s-up');
      // To an apply, a disruption budget is never as it was.
      const changes = server.changes.filter((line) => !line.endsWith('/poddisruptionbudgets/api'));
      expect({ code, changes }).toEqual({ code: 0, changes: [] });
      expect(err).toMatch(/applied: \d+ objects, 0 new, 0 different/);
    },
    3 * MINUTES,
  );

  it(
    'make k8s-load hands each shard the options, and waits until the pods of the load before are gone',
    async () => {
      server.changes.length = 0;
      const { code, err } = await make(
        'k8s-load',
        'PATTERN=steady',
        'ARGS=--rate 500 --threshold "p99 < 1s"',
        'SHARDS=2',
      );
      expect({ code, err }).toMatchObject({ code: 0 });
      const { data } = server.cluster.find('ConfigMap', 'loadgen-settings') ?? {};
      expect(data).toMatchObject({
        PATTERN: 'steady\n',
        ARGS: '--rate\n500\n--threshold\np99 < 1s\n',
        SHARDS: '2',
      });
      const shards = server.cluster.find('ConfigMap', 'loadgen-shards')?.binaryData ?? {};
      expect(Object.keys(shards)).toEqual(['1.json.gz', '2.json.gz']);
      const removed = server.changes.filter((line) => /DELETE .*\/jobs\//.test(line));
      expect(removed.map((line) => line.replace(/.*\//, ''))).toEqual([
        'loadgen Foreground',
        'loadgen-combine Foreground',
      ]);
      expect(
        (await readdir(join(folder, 'reports'))).filter((name) => name.endsWith('.html')).length,
      ).toBeGreaterThan(0);
    },
    3 * MINUTES,
  );

  it(
    'make k8s-verify compares what was sent, and fails once nothing has been',
    async () => {
      const { code, out } = await make('k8s-verify');
      expect({ code, out }).toEqual({ code: 0, out: 'verified: every one counted exactly once\n' });
    },
    3 * MINUTES,
  );

  it(
    'make k8s-down keeps the namespace, and removes it with --volumes',
    async () => {
      expect(await make('k8s-down')).toMatchObject({ code: 0 });
      const kinds = server.cluster.all().map(({ kind }) => kind);
      expect(kinds.sort()).toEqual(['Namespace', 'Node', 'StorageClass']);
      const verified = await make('k8s-verify');
      expect(verified.err).toContain('nothing has been sent here yet');
      expect(await make('k8s-down', 'ARGS=--volumes')).toMatchObject({ code: 0 });
      expect(server.cluster.find('Namespace', 'observability-stack')).toBeUndefined();
    },
    3 * MINUTES,
  );

  it(
    'the acceptance on a cluster passes every check, in the context of its KUBECONFIG',
    async () => {
      loadRuns = true;
      const { code, out, err } = await run(`${repository}test/kubernetes/cluster.sh`, [], {
        K8S_TIMEOUT: '60',
      });
      expect(out.split('\n').filter((line) => line.includes('**failed**'))).toEqual([]);
      expect({ code, err }).toMatchObject({ code: 0 });
      expect(out).toContain('| verdict of the verification over 4 shards | verified |');
      expect(out).toContain('| make k8s-down ARGS=--volumes leaves nothing | the namespace is gone |');
    },
    5 * MINUTES,
  );
});
