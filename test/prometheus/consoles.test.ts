/**
 * The templates of the pages that Prometheus renders: what they ask is PromQL, their colours are those of the dashboards, and
 * they load nothing from anywhere else. What they show is in test/integration/lab.test.ts.
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

/** Every text between backquotes, with an example in the place of what `printf` fills in. */
const queries = files.flatMap(({ file, text }) =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, query = '']) => ({
    file,
    query: query
      .replace(/\{([^{}]*)%s([^{}]*)\}/g, '{$1job="api"$2}')
      .replace(/%q/g, '"x"')
      .replace(/%s/g, '1764000000'),
  })),
);

it('has queries on the overview and in its parts', () => {
  expect(new Set(queries.map(({ file }) => file))).toEqual(new Set(['index.html', 'parts.lib']));
});

it.each(queries)('$file asks in PromQL: $query', ({ query }) => {
  expect(parsePromql(query)).not.toEqual([]);
});

it('has the colours of the dashboards', () => {
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

it.each(files)('$file has no script, and nothing from anywhere else', ({ text }) => {
  expect(text).not.toMatch(/<script|<iframe|\son\w+=|https?:\/\/|@import|url\(|safeHtml/);
});
