/** Every `make k8s-*` command with the real kubectl of the PATH and a KUBECONFIG. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { run as runCommand } from '../support/command.ts';
import { type ApiServer, startApiServer } from '../support/kubernetes/api-server.ts';
import { repositoryRoot } from '../support/repository.ts';

/** `make test` sets the program, and reports at the end if these tests were skipped for lack of it. */
const kubectl = process.env.TEST_KUBECTL;
const whereKubectlIs = kubectl === undefined ? describe.skip : describe;
jest.setTimeout(5 * 60_000);

const phases = [{ sent: 4, answered: 4, unanswered: 0, dropped: 0, errors: 0 }];
const packed = (text: string) => gzipSync(text).toString('base64');
const log = `verified: every one counted exactly once
report.json:${packed(JSON.stringify({ phases, verification: { verdict: 'verified' } }))}
page.html:${packed('<p>')}
`;

let folder = '';
let server: ApiServer;
const settings = () => server.find('ConfigMap', 'loadgen-settings')?.data ?? {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'real kubectl '));
  server = await startApiServer(() => log);
  const isDefault = { 'storageclass.kubernetes.io/is-default-class': 'true' };
  const standard = { name: 'standard', annotations: isDefault };
  server.apply({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: standard });
  server.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'one' } });
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'production',
    clusters: [{ name: 'a', cluster: { server: server.url } }],
    users: [{ name: 'a', user: {} }],
    contexts: [{ name: 'production', context: { cluster: 'a', user: 'a' } }],
  };
  await writeFile(join(folder, 'config'), JSON.stringify(config));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

function run(program: string, words: string[], variables: Record<string, string>) {
  const env = {
    PATH: `${dirname(kubectl ?? '')}:${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
    HOME: folder,
    KUBECONFIG: join(folder, 'config'),
    REPORTS_FOLDER: join(folder, 'reports'),
    START_IN: '0',
    ...variables,
  };
  server.changes.length = 0;
  return runCommand(program, words, env);
}
const PROMETHEUS_IMAGE = 'mirror:5000/prometheus@sha256:00ff';
const make = (...words: string[]) => run('make', words, { K8S_CONTEXT: 'production', PROMETHEUS_IMAGE });
const VERIFIED = { exitCode: 0, stdout: 'verified: every one counted exactly once\n' };

// The order matters: the tests build on each other.
whereKubectlIs('with the real kubectl', () => {
  it.each(['k8s-up', 'k8s-load', 'k8s-verify', 'k8s-down'])(
    'make %s does not touch the current context, which is not local',
    async (target) => {
      const { exitCode, stderr } = await run('make', [target], {});
      expect({ exitCode, changes: server.changes }).toEqual({ exitCode: 2, changes: [] });
      expect(stderr).toContain(`the context "production" (${server.url}) is not a local cluster`);
    },
  );

  it('make k8s-up applies everything, sends the traffic of the lab and prints how to reach the stack', async () => {
    const { exitCode, stdout, stderr } = await make('k8s-up');
    expect({ exitCode, stdout }).toEqual(VERIFIED);
    expect(stderr).toMatch(/applied: (\d+) objects, \1 new, \1 different/);
    expect(stderr).toContain('kubectl --context production --namespace observability-stack port-forward');
    expect(settings()).toMatchObject({ PATTERN: 'lab\n' });
    expect(JSON.stringify(server.find('StatefulSet', 'prometheus'))).toContain(
      `"image":"${PROMETHEUS_IMAGE}"`,
    );
  });

  it('make k8s-up again changes nothing', async () => {
    const { exitCode, stderr } = await make('k8s-up');
    // An apply always reports a disruption budget as changed.
    const changes = server.changes.filter((line) => !line.endsWith('/poddisruptionbudgets/api'));
    expect({ exitCode, changes }).toEqual({ exitCode: 0, changes: [] });
    expect(stderr).toMatch(/applied: \d+ objects, 0 new, 0 different/);
  });

  it('make k8s-load passes on each word unchanged, and waits until the pods of the previous load are gone', async () => {
    const pattern = join(folder, 'my own.yaml');
    await writeFile(pattern, 'stages: []\n');
    const args = 'ARGS=--rate 500 --threshold "p99 < 1s" \'$(touch x)\'';
    const { exitCode, stderr } = await make('k8s-load', `PATTERN=${pattern}`, args, 'SHARDS=2');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stderr).toContain(`sending "${pattern}" from 2 pods`);
    expect(settings()).toMatchObject({
      PATTERN: './my_own.yaml\n',
      ARGS: '--rate\n500\n--threshold\np99 < 1s\n$(touch x)\n',
      SHARDS: '2',
    });
    const patterns = server.find('ConfigMap', 'loadgen-patterns');
    expect(patterns?.data).toEqual({ 'my_own.yaml': 'stages: []\n' });
    expect(server.find('Job', 'loadgen')?.spec).toMatchObject({ completions: 2, parallelism: 2 });
    const shards = server.find('ConfigMap', 'loadgen-shards')?.binaryData ?? {};
    expect(Object.keys(shards)).toEqual(['1.json.gz', '2.json.gz']);
    const removed = server.changes.filter((line) => /DELETE .*\/jobs\//.test(line));
    expect(removed.map((line) => line.replace(/.*\//, ''))).toEqual([
      'loadgen Foreground',
      'loadgen-combine Foreground',
    ]);
    expect(await readdir(join(folder, 'reports'))).toContainEqual(expect.stringMatching(/\.html$/));
  });

  it('make k8s-verify compares what was sent; k8s-down keeps the namespace, and removes it with --volumes', async () => {
    expect(await make('k8s-verify')).toMatchObject(VERIFIED);
    expect(await make('k8s-down')).toMatchObject({ exitCode: 0 });
    const kinds = server.all().map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(['Namespace', 'Node', 'StorageClass']);
    expect((await make('k8s-verify')).stderr).toContain('nothing has been sent here yet');
    expect(await make('k8s-down', 'ARGS=--volumes')).toMatchObject({ exitCode: 0 });
    expect(server.find('Namespace', 'observability-stack')).toBeUndefined();
  });

  it('the acceptance test on a cluster ends with 3 if no cluster answers, and is skipped without KUBECONFIG', async () => {
    const acceptance = join(repositoryRoot, 'test/kubernetes/cluster.sh');
    const none = join(folder, 'none');
    const clusters = [{ name: 'a', cluster: { server: 'http://127.0.0.1:9' } }];
    const contexts = [{ name: 'a', context: { cluster: 'a', user: 'a' } }];
    await writeFile(none, JSON.stringify({ 'current-context': 'a', clusters, contexts }));
    expect(await run(acceptance, [], { KUBECONFIG: none })).toMatchObject({ exitCode: 3 });
    expect(await run(acceptance, [], { KUBECONFIG: '' })).toMatchObject({ exitCode: 0, stderr: '' });
  });
});
