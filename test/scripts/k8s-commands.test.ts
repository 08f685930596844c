/** Every `make k8s-*` command as a user runs it: kubectl is on the PATH, the cluster is one that records what it is asked. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from '@jest/globals';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const file = (text: string) => gzipSync(text).toString('base64');

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'k8s '));
  // It answers each call with what a cluster says on which all is well, and keeps what it is given to apply.
  const program = `#!/bin/sh
printf '%s\\n' "$*" >>'${folder}/calls'
case $* in
  'config current-context') echo production ;;
  'config view'*) echo https://10.0.0.1:6443 ;;
  *' get storageclass '*) echo true ;;
  *' apply -k '*)
    for overlay; do :; done
    cp -R "$overlay" '${folder}/applied.'$(date +%s%N)
    echo 'service/api created' ;;
  *' get configmap loadgen-ledger') [ -e '${folder}/ledger' ] ;;
  *' get job loadgen --ignore-not-found '*) ;;
  *' get job '*conditions*) echo Complete ;;
  *' logs '*'-index='*) echo 'report.json:${file('{}')}' ;;
  *' logs '*job/loadgen-*) printf '%s\\n' 'every one counted exactly once' 'report.json:${file('{}')}' 'page.html:${file('<p>')}' ;;
  *exitCode*) echo 0 ;;
  *minReplicas* | *spec.replicas*) echo 2 ;;
  *availableReplicas*) echo 1 ;;
esac
`;
  await writeFile(join(folder, 'kubectl'), program, { mode: 0o755 });
});
afterEach(() => rm(folder, { recursive: true }));

interface Ended {
  code: number;
  out: string;
  err: string;
  /** What kubectl was called with, a line a call. */
  calls: string[];
}

/** With a kubectl on the PATH and no variable but those of a login shell. */
async function run(program: string, words: string[], variables: Record<string, string> = {}): Promise<Ended> {
  const env = {
    PATH: `${folder}:/usr/local/bin:/usr/bin:/bin`,
    HOME: folder,
    REPORTS_FOLDER: join(folder, 'reports'),
    START_IN: '0',
    ...variables,
  };
  const options = { env, cwd: repository, timeout: 40_000 };
  const { code, out, err } = await new Promise<Omit<Ended, 'calls'>>((resolve) => {
    execFile(program, words, options, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), out: stdout, err: stderr }),
    );
  });
  const calls = await readFile(join(folder, 'calls'), 'utf8').catch(() => '');
  return { code, out, err, calls: calls.split('\n').filter((call) => call !== '') };
}

const confirmed = { K8S_CONTEXT: 'production' };

/** The text of a file of the first overlay applied that has it. */
async function applied(name: string): Promise<string | undefined> {
  const overlays = (await readdir(folder)).filter((entry) => entry.startsWith('applied.')).sort();
  const texts = overlays.map((overlay) => readFile(join(folder, overlay, name), 'utf8').catch(() => ''));
  return (await Promise.all(texts)).find((text) => text !== '');
}

it('make k8s-up applies, waits, sends the traffic of the lab and says how to reach it', async () => {
  const { code, out, err, calls } = await run('make', ['k8s-up'], confirmed);
  expect({ code, err }).toMatchObject({ code: 0 });
  expect(err).toContain('applied: 1 objects, 1 new, 0 different');
  expect(err).toContain('kubectl --context production --namespace observability-stack port-forward');
  expect(out).toContain('every one counted exactly once');
  expect(calls.filter((call) => !call.startsWith('--context production '))).toEqual([]);
  expect(await applied('PATTERN')).toBe('lab\n');
});

it('make k8s-load hands each word on whole, and a file under a name that a ConfigMap may have', async () => {
  const pattern = join(folder, 'my own.yaml');
  await writeFile(pattern, 'stages: []\n');
  const words = [`PATTERN=${pattern}`, 'ARGS=--rate 500 --threshold "p99 < 50ms" \'$(touch x)\'', 'SHARDS=2'];
  const { code, err } = await run('make', ['k8s-load', ...words], confirmed);
  expect({ code, err }).toMatchObject({ code: 0 });
  expect(err).toContain(`sending "${pattern}" from 2 pods`);
  expect(err).toMatch(/The run as a page: .*\.html\n/);
  expect(await applied('ARGS')).toBe('--rate\n500\n--threshold\np99 < 50ms\n$(touch x)\n');
  expect(await applied('PATTERN')).toBe('./my_own.yaml\n');
  expect(await applied('my_own.yaml')).toBe('stages: []\n');
  expect(await applied('kustomization.yaml')).toContain(
    '- { name: loadgen-patterns, namespace: observability-stack, files: [my_own.yaml] }',
  );
});

it('make k8s-verify compares what was sent, once there is something', async () => {
  const nothing = await run('make', ['k8s-verify'], confirmed);
  expect(nothing.code).toBe(2);
  expect(nothing.err).toContain('error: nothing has been sent here yet');
  await writeFile(join(folder, 'ledger'), '');
  const { code, out } = await run('make', ['k8s-verify'], confirmed);
  expect({ code, out }).toEqual({ code: 0, out: 'every one counted exactly once\n' });
});

it('make k8s-down keeps the volumes, unless it is told otherwise', async () => {
  const kept = await run('make', ['k8s-down'], confirmed);
  expect(kept).toMatchObject({ code: 0 });
  expect(kept.calls.join('\n')).not.toContain('delete namespace');
  const all = await run('make', ['k8s-down', 'ARGS=--volumes'], confirmed);
  expect(all).toMatchObject({ code: 0 });
  expect(all.calls).toContain('--context production delete namespace observability-stack --ignore-not-found');
});

it.each(['k8s-up', 'k8s-load', 'k8s-verify', 'k8s-down'])(
  'make %s asks before it touches the current context, which is not local',
  async (target) => {
    const { code, err, calls } = await run('make', [target]);
    expect(code).toBe(2);
    expect(err).toContain('the context "production" (https://10.0.0.1:6443) is not a local cluster');
    expect(calls.filter((call) => !call.startsWith('config '))).toEqual([]);
  },
);

it.each([
  ['SHARDS', '1', 'SHARDS: expected a whole number from 2, got "1"'],
  [
    'START_IN',
    'x[$(touch /tmp/x)]',
    'START_IN: expected a whole number of seconds, got "x[$(touch /tmp/x)]"',
  ],
  ['K8S_TIMEOUT', '1m', 'K8S_TIMEOUT: expected a whole number of seconds, got "1m"'],
])('%s=%s is refused', async (name, value, message) => {
  const { code, err } = await run('make', ['k8s-load', `${name}=${value}`], confirmed);
  expect({ code, err: err.split('\n')[0] }).toEqual({ code: 2, err: `error: ${message}` });
});

it('the acceptance on a cluster uses the context of its KUBECONFIG, and says when that does not answer', async () => {
  const program = await readFile(join(folder, 'kubectl'), 'utf8');
  await writeFile(
    join(folder, 'kubectl'),
    program.replace('case $* in', 'case $* in\n  *readyz*) exit 1 ;;'),
  );
  const { code, calls } = await run(`${repository}test/kubernetes/cluster.sh`, [], { KUBECONFIG: '/none' });
  expect(code).toBe(3);
  expect(calls).toEqual([
    'config current-context',
    '--context production --namespace observability-stack get --raw /readyz',
  ]);
});

/** Programs that a script wraps, asks for with `command -v`, or installs. */
const PROGRAMS = [
  'docker',
  'kubectl',
  'promtool',
  'npm',
  'node',
  'git',
  'curl',
  'tar',
  'flock',
  'perl',
  'make',
  'kind',
  'k3d',
  'minikube',
];

it('no function of a script has the name of a program, which would call the function in its place', async () => {
  const names = (await readdir(join(repository, 'scripts'))).filter((name) => name.endsWith('.sh'));
  const files = [
    ...names.map((name) => `scripts/${name}`),
    'test/kubernetes/cluster.sh',
    'kubernetes/load/shared/job.sh',
  ];
  for (const path of files) {
    const text = await readFile(join(repository, path), 'utf8');
    const functions = [...text.matchAll(/^ *(?:function +)?([\w-]+) *\(\)/gm)].map(([, name = '']) => name);
    expect([path, functions.filter((name) => PROGRAMS.includes(name))]).toEqual([path, []]);
  }
});
