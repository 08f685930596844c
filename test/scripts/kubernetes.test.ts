/** Which cluster the scripts would change, with a fake kubectl that has a context but no cluster. */
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, it } from '@jest/globals';
import { run } from '../support/command.ts';
import { read } from '../support/repository.ts';
import { useSandbox } from './sandbox.ts';

const box = useSandbox();

/** Runs scripts/kubernetes.sh without a terminal. */
async function kubernetes(words: readonly string[], context: string, variables: Record<string, string> = {}) {
  await box.program(
    'kubectl',
    `echo "$*" >>'${box.path('calls')}'
case $* in
  'config current-context') [ -n '${context}' ] && echo '${context}' ;;
  *) echo 'no route to host' >&2; exit 1 ;;
esac`,
  );
  const { code, err } = await box.run('scripts/kubernetes.sh', words, variables);
  const calls = (await box.read('calls')).split('\n').filter((call) => call && !call.startsWith('config '));
  return { code, err, calls };
}

it.each(['kind-kind', 'k3d-try', 'minikube', 'docker-desktop'])(
  'treats %s as local, and names it',
  async (context) => {
    const { code, err, calls } = await kubernetes(['down'], context);
    expect({ code, calls }).toEqual({
      code: 3,
      calls: [`--context ${context} --request-timeout 30s get --raw /readyz`],
    });
    expect(err).toContain(`the cluster of the context "${context}" does not answer: no route to host`);
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
    const { code, err, calls } = await kubernetes(words, context, { ...variables });
    expect({ code, calls }).toEqual({ code: status, calls: [] });
    expect(err).toContain(message);
  },
);

/** Programs that a script wraps, looks up with `command -v`, or installs. */
const PROGRAMS = /^(docker|kubectl|promtool|npm|node|git|curl|tar|flock|perl|make|kind|k3d|minikube)$/;

it('no function of a script has the name of a program, which it would replace', async () => {
  const { stdout } = await run('git', ['ls-files', '*.sh']);
  for (const name of stdout.trim().split('\n')) {
    const functions = read(name).matchAll(/^ *(?:function +)?([\w-]+) *\(\)/gm);
    const wrong = [...functions].map(([, found = '']) => found).filter((found) => PROGRAMS.test(found));
    expect([name, wrong]).toEqual([name, []]);
  }
});

/** `make test` sets the program. */
const kubectl = process.env.TEST_KUBECTL;

(kubectl === undefined ? it.skip : it)(
  'the acceptance test on a cluster ends with 3 if no cluster answers, and is skipped without KUBECONFIG',
  async () => {
    const clusters = [{ name: 'a', cluster: { server: 'http://127.0.0.1:9' } }];
    const contexts = [{ name: 'a', context: { cluster: 'a', user: 'a' } }];
    await writeFile(box.path('none'), JSON.stringify({ 'current-context': 'a', clusters, contexts }));
    const PATH = `${dirname(kubectl ?? '')}:${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;
    const accept = (KUBECONFIG: string) => box.run('test/kubernetes/cluster.sh', [], { PATH, KUBECONFIG });
    expect(await accept(box.path('none'))).toMatchObject({ code: 3 });
    expect(await accept('')).toMatchObject({ code: 0, err: '' });
  },
);
