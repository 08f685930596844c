/**
 * Checks that everything that documents name exists: links and anchors (remark-validate-links), words (cspell), make targets, settings,
 * metrics, options, files. Other tests follow the tutorial and the guides.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import express from 'express';
import { instrument } from 'express-exact-metrics';
import { run } from '../support/command.ts';
import { defaults, read, repositoryRoot as root, trackedFiles } from '../support/repository.ts';

let files: string[];
/** Documents by name. */
let documents: Map<string, string>;
/** The words of all other files. */
let words: Set<string>;

beforeAll(() => {
  files = trackedFiles();
  documents = new Map(files.filter((file) => file.endsWith('.md')).map((file) => [file, read(file)]));
  const sources = files.filter((file) => !/\.(md|png|svg|txt)$|package-lock|^test\/docs\//.test(file));
  words = new Set(
    sources.flatMap((file) => read(file).match(/[A-Za-z_][A-Za-z0-9_]*|(?<![\w-])--[a-z-]*[a-z]/g) ?? []),
  );
});

/** All matches of `find` in the documents. */
const findings = (find: RegExp, of = (text: string) => text) =>
  [...documents].flatMap(([file, text]) => [...of(text).matchAll(find)].map((found) => ({ file, found })));

/** Code blocks and code spans. */
const code = (text: string) =>
  [...text.matchAll(/```[^\n]*\n(.*?)```|`([^`\n]+)`/gs)].map(([, block, span]) => block ?? span).join('\n');

/** Checks that the documents' code contains such names, and that `isKnown` accepts each. */
function expectKnown(find: RegExp, isKnown: (found: string) => boolean): void {
  // A changelog also names things that no longer exist.
  const named = findings(find, code).filter(({ file }) => !file.endsWith('CHANGELOG.md'));
  expect(named.length).toBeGreaterThan(5);
  const unknown = named.filter(({ found: [whole, name = whole] }) => !isKnown(name));
  expect(unknown.map(({ file, found }) => `${file}: ${found[0]}`)).toEqual([]);
}

/** Files that exist only after a command, or belong to the reader. */
const MADE = /^prometheus\/targets\/(shop|worker|billing)\.yml$|\/dist\/|^prometheus\/prometheus$/;
/** Options of npm, docker and curl. */
const OF_OTHERS = ['--input', '--silent', '--name', '--network', '--rm', '--run', '--max-time', '--env-file'];

describe('documents', () => {
  it('link to existing files and headings', async () => {
    const flags = ['--quiet', '--frail', '--no-stdout', '--no-color'];
    const { exitCode, stderr } = await run('node_modules/.bin/remark', [...flags, ...documents.keys()]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  it('have no spelling mistakes and, like sources, no words that cspell.json flags', async () => {
    // Where a flagged word is right, an exception precedes it: cspell:disable-next-line.
    const checked = files.filter((file) =>
      /\.(md|ts|[cm]?js|sh|ya?ml|ini)$|Makefile$|Dockerfile$|\.env$/.test(file),
    );
    const flags = ['lint', '--no-progress', '--no-summary', '--no-color', '--dot'];
    const { exitCode, stdout } = await run('node_modules/.bin/cspell', [...flags, ...checked]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
  });

  it('and sources say "your own" or "its own", not "an own"', () => {
    // cspell flags single words only.
    const found = files.filter(
      (file) => file !== 'test/docs/documents.test.ts' && /\ban own\b/i.test(read(file)),
    );
    expect(found).toEqual([]);
  });

  it('have sequence diagrams without semicolons, which would end a message and break the diagram', () => {
    const drawings = findings(/```mermaid\nsequenceDiagram\n(.*?)```/gs);
    expect(drawings.map(({ file }) => file)).toContain('docs/architecture.md');
    expect(drawings.filter(({ found }) => found[1]?.includes(';'))).toEqual([]);
  });

  it('show existing pictures with alternative texts', () => {
    const pictures = findings(/<(?:img|source)\b[^>]*?(?:src|srcset)="([^"]+)"[^>]*>/g);
    expect(pictures.length).toBeGreaterThan(2);
    for (const {
      file,
      found: [tag, path = ''],
    } of pictures) {
      expect([file, path, existsSync(join(root, dirname(file), path))]).toEqual([file, path, true]);
      if (tag.startsWith('<img')) expect(tag).toMatch(/alt="[^"]{10,}"/);
    }
  });

  it('name only targets that the Makefile has', () => {
    const targets = [...read('Makefile').matchAll(/^([a-z0-9-]+):/gm)].map(([, name]) => name);
    // Options and variables for make may come before or after.
    expectKnown(/(?:^|[\s`(|])make ([a-z][a-z0-9-]*)/gm, (name) => targets.includes(name));
  });

  it('name only settings that exist, and every setting of .env', () => {
    expectKnown(/\b[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]\b/g, (name) => words.has(name));
    const settings = Object.keys(defaults);
    expect(settings.length).toBeGreaterThan(15);
    expect(settings.filter((name) => !documents.get('docs/operations.md')?.includes(name))).toEqual([]);
  });

  it('name only metrics that exist', async () => {
    const { registry } = instrument(express().get('/', (_request, response) => void response.end()));
    const exposed = (await registry.getMetricsAsJSON()).map(({ name }) => name);
    // Metrics that a document's own code defines, and Prometheus' own, which test/integration/commands.test.ts queries.
    const made = findings(/(?:name: |Counter\()'([a-z_]+)'/g).map(({ found }) => found[1]);
    const names = new Set([...exposed, ...made, ...words]);
    const isKnown = (name: string) =>
      names.has(name) ||
      names.has(name.replace(/_(bucket|count|sum|created)$/, '')) ||
      name.startsWith('prometheus_tsdb_');
    expectKnown(
      /\b[a-z][a-z0-9]*(?:_[a-z0-9]+)*_(?:total|seconds|bytes|requests|bucket|drained)(?:_(?:bucket|count|sum))?\b/g,
      isKnown,
    );
  });

  it('name only options that exist', () => {
    expectKnown(/(?<![\w-])--[a-z][a-z-]*[a-z]/g, (name) => words.has(name) || OF_OTHERS.includes(name));
  });

  it('name only files that exist', () => {
    const folders = 'instrumentation|app|loadgen|prometheus|grafana|scripts|docs|lab|test|tools';
    const path = new RegExp(`(?<![\\w./@-])((?:${folders})/[\\w./-]*\\w)`, 'g');
    expectKnown(path, (name) => existsSync(root + name) || MADE.test(name));
  });
});
