/** Which cluster the scripts would touch, and what they bring it; a kubectl of the test's own stands in for the real one. */
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const repository = fileURLToPath(new URL('../..', import.meta.url));

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubectl-'));
});
afterEach(() => rm(folder, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly err: string;
  /** What kubectl was called with, a line a call. */
  readonly calls: string;
}

/** Runs scripts/kubernetes.sh without a terminal, with a kubectl that knows its context, whose cluster never answers. */
async function kubernetes(
  words: string[],
  context: string,
  environment: Record<string, string> = {},
): Promise<Ended> {
  const program = join(folder, 'kubectl');
  await writeFile(
    program,
    `#!/bin/sh
echo "$*" >>'${folder}/calls'
case $* in
  'config current-context') [ -n '${context}' ] && echo '${context}' ;;
  'config view'*) echo https://10.0.0.1:6443 ;;
  *) echo 'nobody is there' >&2; exit 1 ;;
esac
`,
  );
  await chmod(program, 0o755);
  const env = { PATH: process.env.PATH, KUBECTL: program, INSTALL_ENGINE: 'no', ...environment };
  const { code, err } = await new Promise<Omit<Ended, 'calls'>>((resolve) => {
    execFile(`${repository}/scripts/kubernetes.sh`, words, { env }, (error, _out, stderr) =>
      resolve({ code: Number(error?.code ?? 0), err: stderr }),
    );
  });
  const calls = await readFile(join(folder, 'calls'), 'utf8').catch(() => '');
  return { code, err, calls };
}

describe('a context that is not local', () => {
  it.each([['up'], ['load'], ['verify'], ['down']])(
    'is not touched by %s without being confirmed',
    async (verb) => {
      const { code, err, calls } = await kubernetes([verb], 'production');
      expect(code).toBe(2);
      expect(err).toContain('the context "production" (https://10.0.0.1:6443) is not a local cluster');
      expect(err).toContain('K8S_CONTEXT=production');
      expect(calls.split('\n').filter((call) => call !== '' && !call.startsWith('config '))).toEqual([]);
    },
  );

  it('is confirmed by its name', async () => {
    const { code, err, calls } = await kubernetes(['up'], 'production', { K8S_CONTEXT: 'production' });
    expect(code).toBe(3);
    expect(err).toContain('the cluster of the context "production" does not answer: nobody is there');
    expect(calls).toContain('--context production get --raw /readyz');
  });
});

it.each(['kind-kind', 'k3d-try', 'minikube', 'docker-desktop'])(
  'takes %s for local, and every call names it',
  async (context) => {
    const { code, calls } = await kubernetes(['down'], context);
    expect(code).toBe(3);
    const others = calls.split('\n').filter((call) => call !== '' && call !== 'config current-context');
    for (const call of others) expect(call).toMatch(new RegExp(`^--context ${context} `));
  },
);

it('leaves no folder behind when it is ended between two steps', async () => {
  const script = `set -u; root='${repository}'; . "$root/scripts/console.sh"; folder=$(mktemp -d '${folder}/XXXXXX')
    trap 'rm -rf "$folder"' EXIT; run_step a true; kill -TERM $$; sleep 10`;
  const code = await new Promise((resolve) => {
    execFile('sh', ['-c', script], (error) => resolve(error?.code));
  });
  expect(code).toBe(130);
  expect(await readdir(folder)).toEqual([]);
});

it('says that there is no context', async () => {
  const { code, err } = await kubernetes(['up'], '');
  expect(code).toBe(3);
  expect(err).toContain('kubectl has no current context');
});

it('says that there is no kubectl', async () => {
  const { code, err } = await kubernetes(['up'], 'kind-kind', { KUBECTL: 'no-such-program' });
  expect(code).toBe(3);
  expect(err).toContain('no kubectl on this machine');
});

it.each([[['halt']], [[]]])('refuses a command that it does not know: %j', async (words) => {
  const { code, err, calls } = await kubernetes(words, 'kind-kind');
  expect(code).toBe(2);
  expect(err).toContain('usage: scripts/kubernetes.sh up | load');
  expect(calls).toBe('');
});

describe('an image of the site', () => {
  /** What as_new_image makes of it. */
  function newImage(image: string): Promise<string> {
    const script = `root='${repository}'; . '${repository}/scripts/cluster-images.sh'; as_new_image "$1"`;
    return new Promise((resolve, reject) => {
      execFile('sh', ['-c', script, 'sh', image], (error, out) =>
        error ? reject(error) : resolve(out.trim()),
      );
    });
  }

  it.each([
    ['prom/prometheus:v3.1.0', "newName: prom/prometheus, newTag: 'v3.1.0'"],
    ['mirror:5000/prometheus', 'newName: mirror:5000/prometheus, newTag: latest'],
    ['mirror:5000/prometheus:v3', "newName: mirror:5000/prometheus, newTag: 'v3'"],
    ['mirror/prometheus', 'newName: mirror/prometheus, newTag: latest'],
    ['mirror/prometheus@sha256:00ff', "newName: mirror/prometheus, digest: 'sha256:00ff'"],
  ])('%s', async (image, parts) => {
    expect(await newImage(image)).toBe(parts);
  });
});
