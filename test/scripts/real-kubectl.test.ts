/** Every `make k8s-*` command with the real kubectl of the PATH and a KUBECONFIG. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run as runCommand, start } from '../support/command.ts';
import { type ApiServer, type Pods, startApiServer } from '../support/kubernetes/api-server.ts';
import type { Executed } from '../support/kubernetes/exec.ts';
import { repositoryRoot } from '../support/repository.ts';
import { until } from '../support/until.ts';

/** `make test` sets the program, and reports at the end if these tests were skipped without it. */
const kubectl = process.env.TEST_KUBECTL;
const whereKubectlIs = kubectl === undefined ? describe.skip : describe;

const NAMESPACE = 'observability-stack';
const OURS = { 'app.kubernetes.io/part-of': NAMESPACE };
let folder = '';
let pod = '';
let server: ApiServer;
const plan = () => (server.find('ConfigMap', 'loadgen-plan')?.data ?? {}) as Record<string, string>;
const isDone = { exitCode: 0 };

/** The ledger's pod, with folders of this machine and a `node` that logs its arguments. */
const pods: Pods = {
  async work({ spec }) {
    const records = `${pod}/var/lib/loadgen/${plan().RUN?.trim()}`;
    for (let index = 1; index <= Number(spec?.completions); index += 1)
      await writeFile(`${records}-${index}.json`, '{}');
  },
  execute(words) {
    const here = words.map((word) => word.replaceAll(/\/(var\/lib\/loadgen|tmp)\b/g, `${pod}/$1`));
    return runCommand(here[0] ?? '', here.slice(1), { PATH: `${pod}:/usr/bin:/bin` }) as Promise<Executed>;
  },
};
const GENERATOR = `#!/bin/sh
echo "$*" >>"\${0%/*}/calls"
for word; do case $word in *.json | *.html) [ -e "$word" ] || echo '"verdict": "verified"' >"$word" ;; esac; done
echo 'verified: every one counted exactly once'
case $1:$2 in *:combine) exit "$(cat "\${0%/*}/status" 2>/dev/null || echo 0)" ;; esac
`;
const calls = async () => (await readFile(join(pod, 'calls'), 'utf8')).trim().split('\n');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'real kubectl '));
  pod = await mkdtemp(join(tmpdir(), 'pod-'));
  await mkdir(join(pod, 'var/lib/loadgen'), { recursive: true });
  await mkdir(join(pod, 'tmp'));
  await writeFile(join(pod, 'node'), GENERATOR, { mode: 0o755 });
  server = await startApiServer(pods);
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
  await rm(pod, { recursive: true });
});

const environment = (variables: Record<string, string>) => ({
  PATH: `${dirname(kubectl ?? '')}:${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
  HOME: folder,
  KUBECONFIG: join(folder, 'config'),
  REPORTS_FOLDER: join(folder, 'reports'),
  START_IN: '0',
  ...variables,
});
function run(program: string, words: string[], variables: Record<string, string>) {
  server.changes.length = 0;
  return runCommand(program, words, environment(variables));
}
/** Starts a load whose pods send until they are stopped. Without make, which would replace the exit status. */
async function startLoad(variables: Record<string, string> = {}) {
  pods.isSending = true;
  const settings = environment({ K8S_CONTEXT: 'production', ...variables });
  const load = start('scripts/kubernetes.sh', ['load'], settings);
  await until('the load', () => load.stderr().includes('- sending'));
  return load;
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
    // Created earlier, for a secret.
    server.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
    const { exitCode, stdout, stderr } = await make('k8s-up');
    expect({ exitCode, stdout, stderr }).toMatchObject(VERIFIED);
    expect(stderr).toMatch(/applied: \d+ objects, \d+ created, 0 changed/);
    expect(stderr).toContain('kubectl --context production --namespace observability-stack port-forward');
    expect(plan()).toMatchObject({ WORDS: 'lab\n' });
    expect(JSON.stringify(server.find('StatefulSet', 'prometheus'))).toContain(
      `"image":"${PROMETHEUS_IMAGE}"`,
    );
  });

  it('make k8s-up again changes nothing but an old configuration, which it removes', async () => {
    const metadata = { name: 'prometheus-00ff00ff00', namespace: NAMESPACE, labels: OURS };
    server.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
    const { exitCode, stderr } = await make('k8s-up');
    // An apply always reports a disruption budget as changed.
    const changes = server.changes.filter((line) => !line.includes('/poddisruptionbudgets/'));
    expect({ exitCode, changes, stderr }).toMatchObject({
      exitCode: 0,
      changes: [`DELETE /api/v1/namespaces/${NAMESPACE}/configmaps/prometheus-00ff00ff00 Background`],
    });
    expect(stderr).toMatch(/applied: \d+ objects, 0 created, 0 changed/);
  });

  it('make k8s-up refuses to revert what another overlay has set, and applies the overlay that is named', async () => {
    const overlay = join(repositoryRoot, `kubernetes/.overlay-${process.pid}`);
    const op = { op: 'replace', path: '/spec/maxReplicas', value: 40 };
    const patches = [{ target: { kind: 'HorizontalPodAutoscaler' }, patch: JSON.stringify([op]) }];
    const kustomization = { kind: 'Kustomization', resources: ['../base'], patches };
    await mkdir(overlay);
    try {
      await writeFile(join(overlay, 'kustomization.yaml'), JSON.stringify(kustomization));
      const most = () => server.find('HorizontalPodAutoscaler', 'api')?.spec?.maxReplicas;
      const K8S_OVERLAY = overlay;
      expect(await make('k8s-up', `K8S_OVERLAY=${K8S_OVERLAY}`, 'K8S_CHANGES=apply')).toMatchObject(isDone);
      expect(most()).toBe(40);
      const { exitCode, stderr } = await make('k8s-up');
      expect({ exitCode, changes: server.changes }).toEqual({ exitCode: 2, changes: [] });
      expect(stderr).toMatch(/^-.*maxReplicas: 40\n\+.*maxReplicas: 10$/m);
      expect(stderr).toContain('K8S_OVERLAY=FOLDER');
      expect((await make('k8s-up', 'K8S_CHANGES=apply')).stderr).toMatch(/, 0 created, 1 changed/);
      expect(most()).toBe(10);
      await writeFile(join(overlay, 'kustomization.yaml'), 'resources: [missing.yaml]');
      expect((await make('k8s-up', `K8S_OVERLAY=${overlay}`)).stderr).toContain('kustomize cannot render');
    } finally {
      await rm(overlay, { recursive: true });
    }
  });

  it('make k8s-load passes on each word unchanged, combines the records of all shards, and leaves no Job', async () => {
    const pattern = join(folder, 'my own.yaml');
    await writeFile(pattern, 'stages: []\n');
    const args = 'ARGS=--rate 500 --threshold "p99 < 1s" \'$(touch x)\'';
    const { exitCode, stderr } = await make('k8s-load', `PATTERN=${pattern}`, args, 'SHARDS=2');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stderr).toContain(`sending "${pattern}" from 2 pods`);
    expect(plan()).toMatchObject({
      WORDS: './my_own.yaml\n--rate\n500\n--threshold\np99 < 1s\n$(touch x)\n',
      ...{ SHARDS: '2\n', 'my_own.yaml': 'stages: []\n' },
    });
    const run = plan().RUN?.trim();
    expect((await calls()).at(-1)).toContain(`combine ${run}-1.json ${run}-2.json --prometheus`);
    const records = (await readdir(join(pod, 'var/lib/loadgen'))).filter((name) => name.startsWith(`${run}`));
    expect(records).toEqual([`${run}.json`]);
    expect(await readdir(join(folder, 'reports'))).toEqual(
      expect.arrayContaining([`${run}.html`, `${run}.json`]),
    );
    expect(server.changes.at(-1)).toMatch(/^DELETE .*\/jobs\/loadgen Foreground$/);
  });

  it('make k8s-load reports why a shard was lost', async () => {
    const cause = { reason: 'FailedScheduling', message: '0/1 nodes are available: 1 Insufficient cpu.' };
    const metadata = { name: 'a', namespace: NAMESPACE };
    const involvedObject = { kind: 'Pod', name: 'loadgen-3' };
    server.apply({ apiVersion: 'v1', kind: 'Event', metadata, type: 'Warning', involvedObject, ...cause });
    pods.lost = 1;
    const { stderr } = await make('k8s-load');
    pods.lost = 0;
    expect(stderr).toContain(`loadgen-3: ${cause.reason}: ${cause.message}\n`);
    expect(stderr).toContain('waiting until its pods are gone');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'make k8s-load stops the pods at %s, combines their records, and exits with 130',
    async (signal) => {
      const { result, process: sending, stderr } = await startLoad();
      expect((await make('k8s-verify')).stderr).toContain('a load is running');
      expect((await make('k8s-load')).stderr).toContain('cannot start the load: one is running, with 4 pods');
      if (signal === 'SIGINT') process.kill(-(sending.pid ?? 0), signal);
      else sending.kill(signal);
      const { exitCode, stdout } = await result;
      expect({ exitCode, stdout, stderr: stderr() }).toMatchObject({ ...VERIFIED, exitCode: 130 });
      expect(server.find('Job', 'loadgen')).toBeUndefined();
      pods.isSending = false;
    },
  );

  it('make k8s-load ARGS=--stop, and the next load, combine the records of a killed k8s-load and remove its Job', async () => {
    expect((await make('k8s-load', 'ARGS=--stop')).stderr).toContain('no load is running, and none was');
    // A stopped run ends with 130 in the generator, and with success here.
    for (const [status, ...words] of [['130', 'ARGS=--stop'], ['0']] as const) {
      const { result, process: sending } = await startLoad();
      process.kill(-(sending.pid ?? 0), 'SIGKILL');
      await result;
      pods.isSending = false;
      const left = plan().RUN?.trim();
      await writeFile(join(pod, 'status'), status);
      expect(await make('k8s-load', ...words)).toMatchObject(isDone);
      expect(await calls()).toContainEqual(expect.stringContaining(`combine ${left}-1.json`));
      expect(server.find('Job', 'loadgen')).toBeUndefined();
    }
  });

  it('make k8s-load ends if the cluster stops answering, and reports what it waited for', async () => {
    const { result, stderr } = await startLoad({ K8S_TIMEOUT: '10' });
    pods.silent = /./;
    expect(await result).toMatchObject({ exitCode: 3 });
    expect(stderr()).toContain("no response from the cluster about the load's pods for 10 s");
    Object.assign(pods, { silent: /\/pods\/ledger-0/, isSending: false });
    expect((await make('k8s-verify', 'K8S_TIMEOUT=10')).stderr).toContain('ledger-0 does not answer');
    pods.silent = undefined;
    expect(await make('k8s-load', 'ARGS=--stop')).toMatchObject(isDone);
  });

  it('make k8s-verify compares what was sent; k8s-down keeps the namespace, and removes it with --volumes', async () => {
    expect(await make('k8s-verify')).toMatchObject(VERIFIED);
    expect(await make('k8s-down')).toMatchObject(isDone);
    const kinds = server.all().flatMap(({ kind }) => (kind === 'Event' ? [] : kind));
    expect(kinds.sort()).toEqual(['Namespace', 'Node', 'StorageClass']);
    expect((await make('k8s-verify')).stderr).toContain(
      'the stack does not run there: its ledger is not ready',
    );
    expect(await make('k8s-down', 'ARGS=--volumes')).toMatchObject(isDone);
    expect(server.find('Namespace', 'observability-stack')).toBeUndefined();
  });
});
