/**
 * The templates of the pages that Prometheus renders: they contain valid PromQL, use the colours of the dashboards, and load
 * nothing from other hosts. test/integration/lab.test.ts tests the rendered pages.
 */
import { expect, it } from '@jest/globals';
import { ANSWER_COLORS, QUANTILE_COLORS } from '../../grafana/src/colors.ts';
import { parsePromql } from '../../grafana/src/promql.ts';
import { namesIn, read } from '../support/repository.ts';

const files = ['prometheus/consoles', 'prometheus/console_libraries'].flatMap((folder) =>
  namesIn(folder).map((file) => ({
    file,
    text: read(`${folder}/${file}`).replace(/\{\{\/\*.*?\*\/\}\}/gs, ''),
  })),
);

/** Every text between backquotes, with example values for the arguments of `printf`. */
const queries = files.flatMap(({ file, text }) =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, query = '']) => ({
    file,
    query: query
      .replace(/\{([^{}]*)%s([^{}]*)\}/g, '{$1job="api"$2}')
      .replace(/%q/g, '"x"')
      .replace(/%(\[\d\])?s/g, 'up')
      .replace(/%.0f/g, '1764000000'),
  })),
);

it('the pages and their parts have queries', () => {
  const withQueries = ['answer.html', 'index.html', 'query.html', 'parts.lib'];
  expect(new Set(queries.map(({ file }) => file))).toEqual(new Set(withQueries));
});

it('the query page offers the queries of the README as examples', () => {
  const [, questions = ''] = /## Five questions(.*?)\n## /s.exec(read('README.md')) ?? [];
  const examples = [...questions.matchAll(/^\|[^|]+\| `([^`]+)`/gm)].map(([, query]) => query).slice(1);
  expect(examples).toHaveLength(5);
  expect(queries.flatMap(({ file, query }) => (file === 'query.html' ? [query] : []))).toEqual(examples);
});

it.each(queries)('$file has valid PromQL: $query', ({ query }) => {
  expect(parsePromql(query)).not.toEqual([]);
});

it('uses the colours of the dashboards', () => {
  const { text = '' } = files.find(({ file }) => file === 'page.lib') ?? {};
  const [, light = ''] = /:root \{(.*?)\}/s.exec(text) ?? [];
  expect(
    Object.fromEntries([...light.matchAll(/--(\w+): (#\w{6})/g)].map(([, name, hex]) => [name, hex])),
  ).toMatchObject({
    ok: ANSWER_COLORS['2xx'],
    client: ANSWER_COLORS['4xx'],
    left: ANSWER_COLORS['499'],
    server: ANSWER_COLORS['5xx'],
    p50: QUANTILE_COLORS.p50,
    p99: QUANTILE_COLORS.p99,
  });
});

it.each(files)('$file has no script and loads nothing from other hosts', ({ file, text }) => {
  expect(text).not.toMatch(/<script|\son\w+=|https?:\/\/|@import|url\(|safeHtml/);
  const frames = [...text.matchAll(/(?:src|data)="([^"?]*)/g)].map(([, address]) => address);
  expect(frames).toEqual(file === 'query.html' ? ['answer.html', '../api/v1/query'] : []);
});
