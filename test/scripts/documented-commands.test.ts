/** Every `make` command on a machine on which no engine and no cluster answers. That the documents name no others is checked with them. */
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { repositoryRoot } from '../support/repository.ts';
import { useSandbox } from './sandbox.ts';

/** They work on the development dependencies, and are what runs this test, or next to it. */
const NEED_NPM = ['audit', 'bench', 'lint', 'test', 'test-faults', 'test-unit'];
/** What a shell, make or a runtime prints where a script is wrong. */
const RAW =
  /not found|syntax error|arithmetic|parameter not set|unbound|bad substitution|No such file|\bat \S+:\d+|Traceback/i;

const box = useSandbox();

async function make(...words: string[]) {
  await box.program('docker', 'echo "Cannot connect to the Docker daemon at unix:///x.sock." >&2; exit 1');
  const { code, err } = await box.run('make', words, { KUBECTL: 'no-such-program' });
  return { code, err };
}

const makefile = readFileSync(`${repositoryRoot}/Makefile`, 'utf8');
const targets = [...makefile.matchAll(/^([a-z0-9-]+): ##/gm)].map(([, name = '']) => name);

it.each(targets.filter((name) => !NEED_NPM.includes(name) && name !== 'help'))(
  'make %s reports what is missing, in its own words',
  async (target) => {
    const { code, err } = await make(target, 'Q=up', `FILE=${box.path('data.tgz')}`);
    expect(err).not.toMatch(RAW);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(/error: .+\n/) });
  },
);

it.each([
  ['query', "make query Q='sum(http_requests_total)'"],
  ['backup', 'make backup FILE=prometheus.tgz'],
  ['restore', 'make restore FILE=prometheus.tgz'],
])('make %s without its value shows an example', async (target, example) => {
  expect(await make(target)).toEqual({ code: 2, err: expect.stringContaining(example) });
});
