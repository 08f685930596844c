/** Which cluster the scripts would touch; a kubectl of the test's own, whose cluster never answers, records what it is asked. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { repositoryRoot } from '../support/repository.ts';
import { useSandbox } from './sandbox.ts';

const box = useSandbox();

/** Runs scripts/kubernetes.sh without a terminal, with a kubectl that knows its context. */
async function kubernetes(words: string[], context: string, variables: Record<string, string> = {}) {
  await box.program(
    'kubectl',
    `echo "$*" >>'${box.path('calls')}'
case $* in
  'config current-context') [ -n '${context}' ] && echo '${context}' ;;
  'config view'*) echo https://10.0.0.1:6443 ;;
  *) echo 'no route to host' >&2; exit 1 ;;
esac`,
  );
  const { code, err } = await box.run('scripts/kubernetes.sh', words, variables);
  const calls = (await box.read('calls')).split('\n').filter((call) => call && !call.startsWith('config '));
  return { code, err, calls };
}

describe('a context that is not local', () => {
  it.each(['up', 'load', 'verify', 'down'])('is not touched by %s without being named', async (command) => {
    const { code, err, calls } = await kubernetes([command], 'production');
    expect({ code, calls }).toEqual({ code: 2, calls: [] });
    expect(err).toContain('the context "production" (https://10.0.0.1:6443) is not a local cluster');
    expect(err).toContain('K8S_CONTEXT=production');
  });

  it('is confirmed by its name', async () => {
    const { code, err, calls } = await kubernetes(['up'], 'production', { K8S_CONTEXT: 'production' });
    expect({ code, calls }).toEqual({ code: 3, calls: ['--context production get --raw /readyz'] });
    expect(err).toContain('the cluster of the context "production" does not answer: no route to host');
  });
});

it.each(['kind-kind', 'k3d-try', 'minikube', 'docker-desktop'])(
  'takes %s for local, and every call names it',
  async (context) => {
    const calls = [`--context ${context} get --raw /readyz`];
    expect(await kubernetes(['down'], context)).toMatchObject({ code: 3, calls });
  },
);

it.each([
  [['up'], '', {}, 3, 'kubectl has no current context'],
  [['up'], 'kind-kind', { KUBECTL: 'no-such-program' }, 3, 'no kubectl on this machine'],
  [['halt'], 'kind-kind', {}, 2, 'usage: scripts/kubernetes.sh up | load'],
  [[], 'kind-kind', {}, 2, 'usage: scripts/kubernetes.sh up | load'],
  [
    ['up'],
    'kind-kind',
    { K8S_TIMEOUT: '1m' },
    2,
    'K8S_TIMEOUT: expected a whole number of seconds, got "1m"',
  ],
  [
    ['load'],
    'kind-kind',
    { START_IN: '$(id)' },
    2,
    'START_IN: expected a whole number of seconds, got "$(id)"',
  ],
  [['load'], 'kind-kind', { SHARDS: '1' }, 2, 'SHARDS: expected a whole number from 2, got "1"'],
] as const)(
  '%j in "%s" with %j ends with status %i: %s',
  async (words, context, variables, status, message) => {
    const { code, err, calls } = await kubernetes([...words], context, { ...variables });
    expect({ code, calls }).toEqual({ code: status, calls: [] });
    expect(err).toContain(message);
  },
);

/** Programs that a script wraps, asks for with `command -v`, or installs. */
const PROGRAMS = /^(docker|kubectl|promtool|npm|node|git|curl|tar|flock|perl|make|kind|k3d|minikube)$/;

it('no function of a script has the name of a program, which would call the function in its place', async () => {
  const files = execFileSync('git', ['ls-files', '*.sh'], { cwd: repositoryRoot, encoding: 'utf8' });
  for (const name of files.trim().split('\n')) {
    const text = readFileSync(`${repositoryRoot}/${name}`, 'utf8');
    const functions = [...text.matchAll(/^ *(?:function +)?([\w-]+) *\(\)/gm)].map(([, found = '']) => found);
    expect([name, functions.filter((found) => PROGRAMS.test(found))]).toEqual([name, []]);
  }
});
