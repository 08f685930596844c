/**
 * What documents name is there: links and anchors (remark-validate-links), words (cspell), make targets, settings, metrics, options,
 * files. What they say is done is checked where it is done: the tutorial and the guides are followed by tests of their own.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import express from 'express';
import { instrument } from 'express-exact-metrics';
import { run } from '../support/command.ts';
import { repositoryRoot as root } from '../support/repository.ts';

/** Documents by name; what is not a document, as words. */
let documents: Map<string, string>;
let words: Set<string>;
let targets: string[];

const WORD = /[A-Za-z_][A-Za-z0-9_]*/g;
const OPTION = /(?<![\w-])--[a-z][a-z-]*[a-z]/g;

beforeAll(async () => {
  const { stdout } = await run('git', ['ls-files']);
  const files = stdout
    .trim()
    .split('\n')
    .filter((file) => existsSync(root + file));
  documents = new Map(
    files.filter((file) => file.endsWith('.md')).map((file) => [file, readFileSync(root + file, 'utf8')]),
  );
  const sources = files.filter((file) => !/\.(md|png|svg|txt)$|package-lock|^test\/docs\//.test(file));
  const text = sources.map((file) => readFileSync(root + file, 'utf8')).join('\n');
  words = new Set([...(text.match(WORD) ?? []), ...(text.match(OPTION) ?? [])]);
  targets = [...readFileSync(`${root}Makefile`, 'utf8').matchAll(/^([a-z0-9-]+):/gm)].map(
    ([, name = '']) => name,
  );
});

/** Every `find` in every document that `isKnown` does not know, as `file: what`. */
function unknown(find: RegExp, isKnown: (found: string) => boolean, of = (text: string) => text): string[] {
  // A changelog also names what is gone.
  const current = [...documents].filter(([file]) => !file.endsWith('CHANGELOG.md'));
  const found = current.flatMap(([file, text]) =>
    [...of(text).matchAll(find)].map(([whole, name = whole]) => [file, name] as const),
  );
  expect(found.length).toBeGreaterThan(5);
  const missing = found.filter(([, name]) => !isKnown(name)).map(([file, name]) => `${file}: ${name}`);
  return [...new Set(missing)];
}

/** Blocks and spans of code. */
const code = (text: string) =>
  [...text.matchAll(/```[^\n]*\n(.*?)```|`([^`\n]+)`/gs)].map(([, block, span]) => block ?? span).join('\n');

describe('documents', () => {
  it('link to files and headings that are there', async () => {
    const flags = ['--quiet', '--frail', '--no-stdout', '--no-color'];
    const { exitCode, stderr } = await run('node_modules/.bin/remark', [...flags, ...documents.keys()]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  it('draw sequences without a semicolon, at which a message and with it the drawing ends', () => {
    const drawings = [...documents].flatMap(([file, text]) =>
      [...text.matchAll(/```mermaid\nsequenceDiagram\n(.*?)```/gs)].map(([, body = '']) => ({ file, body })),
    );
    expect(drawings.map(({ file }) => file)).toContain('docs/architecture.md');
    expect(drawings.filter(({ body }) => body.includes(';'))).toEqual([]);
  });

  it('show pictures that are there, with an alternative text', () => {
    const pictures = [...documents].flatMap(([file, text]) =>
      [...text.matchAll(/<(?:img|source)\b[^>]*?(?:src|srcset)="([^"]+)"[^>]*>/g)].map(
        ([tag, path = '']) => ({ file, tag, path }),
      ),
    );
    expect(pictures.length).toBeGreaterThan(2);
    for (const { file, tag, path } of pictures) {
      expect(existsSync(join(root, dirname(file), path)) ? '' : `${file}: ${path}`).toBe('');
      if (tag.startsWith('<img')) expect(tag).toMatch(/alt="[^"]{10,}"/);
    }
  });

  it('are spelt right', async () => {
    const flags = ['lint', '--no-progress', '--no-summary', '--no-color'];
    const { exitCode, stdout } = await run('node_modules/.bin/cspell', [...flags, ...documents.keys()]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
  });

  it('name targets of the Makefile', () => {
    // Words for make itself stand before or behind.
    const isKnown = (name: string) => targets.includes(name);
    expect(unknown(/(?:^|[\s`(|])make ([a-z][a-z0-9-]*)/gm, isKnown, code)).toEqual([]);
  });

  it('name settings that something reads', () => {
    expect(unknown(/\b[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]\b/g, (name) => words.has(name), code)).toEqual([]);
  });

  it('name every setting of .env', () => {
    const settings = readFileSync(`${root}.env`, 'utf8').match(/^[A-Z_]+/gm) ?? [];
    expect(settings.length).toBeGreaterThan(15);
    expect(settings.filter((name) => !documents.get('docs/operations.md')?.includes(name))).toEqual([]);
  });

  it('name metrics that something exposes', async () => {
    const app = express().get('/', (_request, response) => void response.end());
    const { registry } = instrument(app);
    const exposed = await registry.getMetricsAsJSON();
    const names = new Set(exposed.map(({ name }) => name));
    // What a document's own code makes, and Prometheus' own, which test/integration/commands.test.ts asks for.
    const made = [...documents.values()].flatMap((text) =>
      [...text.matchAll(/(?:name: |Counter\()'([a-z_]+)'/g)].map(([, name = '']) => name),
    );
    const isKnown = (name: string) =>
      [name, name.replace(/_(bucket|count|sum|created)$/, '')].some(
        (one) => names.has(one) || made.includes(one),
      ) ||
      words.has(name) ||
      name.startsWith('prometheus_tsdb_');
    const metric =
      /\b[a-z][a-z0-9]*(?:_[a-z0-9]+)*_(?:total|seconds|bytes|requests|bucket|drained)(?:_(?:bucket|count|sum))?\b/g;
    expect(unknown(metric, isKnown, code)).toEqual([]);
  });

  it('name options that something takes', () => {
    // Of npm, docker and curl.
    const ofOthers = [
      '--input',
      '--silent',
      '--name',
      '--network',
      '--rm',
      '--run',
      '--max-time',
      '--env-file',
    ];
    expect(unknown(OPTION, (name) => words.has(name) || ofOthers.includes(name), code)).toEqual([]);
  });

  it('name files that are there', () => {
    const folders = 'instrumentation|app|loadgen|prometheus|grafana|scripts|docs|lab|test|tools';
    const isKnown = (path: string) => existsSync(root + path) || MADE.some((made) => made.test(path));
    const path = new RegExp(`(?<![\\w./@-])((?:${folders})/[\\w./-]*\\w)`, 'g');
    expect(unknown(path, isKnown, code)).toEqual([]);
  });
});

/** What exists only after a command, or is the reader's own. */
const MADE = [/^prometheus\/targets\/(shop|worker|billing)\.yml$/, /\/dist\//, /^prometheus\/prometheus$/];

it('an unknown name is found', () => {
  expect(words.has('SIMULATED_LATENCY_MS')).toBe(true);
  expect(words.has('SIMULATED_LATENZ_MS')).toBe(false);
  expect(targets).toEqual(expect.arrayContaining(['up', 'query', 'lab', 'k8s-down']));
});
