/** The form of documents: lines wrap, and sentences are short. documents.test.ts checks the words. */
import { expect, it } from '@jest/globals';
import { read, trackedFiles } from '../support/repository.ts';

const MAX_COLUMNS = 120;
const MAX_WORDS = 35;
const documents = trackedFiles().filter((file) => file.endsWith('.md'));

/** Without code, tables, HTML and headings. */
const proseOf = (text: string) =>
  text.replace(/^```.*?^```$|^<!--.*?-->$/gms, '').replace(/^[ \t]*[|<#].*$/gm, '');

it('documents wrap, where a line can be broken', () => {
  expect(documents).toContain('docs/security.md');
  const tooLong = documents.flatMap((file) =>
    proseOf(read(file))
      .split('\n')
      .filter((line) => line.length > MAX_COLUMNS && /\S\s/.test(line.replace(/^\s*([-*]|\d+\.)\s/, '')))
      .map((line) => `${file}: ${line}`),
  );
  expect(tooLong).toEqual([]);
});

it('sentences of documents are short', () => {
  const tooLong = documents.flatMap((file) =>
    proseOf(read(file))
      .replace(/`[^`]*`/g, 'X')
      .replace(/\]\([^)]*\)/g, ']')
      .split(/\n\s*\n|\n\s*(?:[-*]|\d+\.)\s|(?<=[.:?!][)"*]*)\s/)
      .filter((sentence) => (sentence.match(/[a-z]{2,}/gi)?.length ?? 0) > MAX_WORDS)
      .map((sentence) => `${file}: ${sentence}`),
  );
  expect(tooLong).toEqual([]);
});
