/**
 * Follows docs/tutorial.md. This file covers the steps without Prometheus, and checks that each step shows the correct difference;
 * test/integration/tutorial.test.ts covers the steps with Prometheus.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { structuredPatch } from 'diff';
import { namesIn, read } from '../support/repository.ts';
import { asksPrometheus, copyTutorial, type TutorialCopy, tutorialSections } from '../support/tutorial.ts';
import { fits, follow } from '../support/walkthrough.ts';

const programs = namesIn('docs/tutorial').filter((name) => /^\d\d-.*\.ts$/.test(name));
const textOf = (name: string) => read(`docs/tutorial/${name}`);
const blocks = tutorialSections.flatMap((section) => section.blocks);

let copy: TutorialCopy;
beforeAll(async () => {
  copy = await copyTutorial();
});
afterAll(() => copy.remove());

const alone = tutorialSections.filter((section) => !asksPrometheus(section));

it('has steps without Prometheus, and steps with it', () => {
  expect([alone.length, tutorialSections.length - alone.length]).toEqual([9, 7]);
});

it.each(alone.map((section) => [section.title, section] as const))('step %s', (_title, section) =>
  follow(section, copy.surroundings),
);

describe('excerpts of files', () => {
  it.each(programs.slice(1).map((name, i) => [name, programs[i] ?? '']))(
    '%s is shown as its difference to %s',
    (name, before) => {
      const { hunks } = structuredPatch(before, name, textOf(before), textOf(name), '', '', { context: 1 });
      const difference = hunks.map(({ lines }) => lines.join('\n')).join('\n@@\n');
      const shown = blocks.filter(({ language }) => language === 'diff').map(({ body }) => body);
      // The last step rewrites the program; only its own line is shown.
      if (name === programs.at(-1)) expect(textOf(name)).toContain('instrument(app, {');
      else expect(shown).toContain(difference);
    },
  );

  it('the files of Prometheus are shown unchanged', () => {
    const shown = blocks.filter(({ language }) => language === 'yaml').map(({ body }) => `${body}\n`);
    expect(shown).toEqual([textOf('prometheus.yml'), textOf('alerts.yml')]);
  });

  it('the lines of code are in the final program', () => {
    for (const { body } of blocks.filter(({ language }) => language === 'ts'))
      for (const line of body.split('\n')) expect(textOf('12-package.ts')).toContain(line);
  });
});

describe('the comparison of outputs', () => {
  it.each([
    ['a …b\nc', 'a 12b\nc', true],
    ['a …b\nc', 'a 12c\nc', false],
    ['a\n…\nb', 'a\nx\ny\nb', true],
    ['a\n…\nb', 'a\nb', true],
    ['1.0', '110', false],
    ['a b\n 1', 'a   b\n1', true],
    ['ab', 'a b', false],
    ['a', 'a\nb', false],
  ])('%j and %j: %s', (shown, printed, expected) => {
    expect(fits(shown, printed)).toBe(expected);
  });
});
