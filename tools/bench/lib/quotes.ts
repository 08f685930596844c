/**
 * Tables of `tools/bench/results/` as other documents quote them, some of the columns and some of the rows, or as a chart, between
 * two markers of the form `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`. Written by `npm run quote`; a test compares.
 */
import { type Table, toMarkdown } from './report.ts';

export interface Quote {
  /** The name in the markers. */
  readonly name: string;
  /** Document and result, from the repository's root. */
  readonly document: string;
  readonly result: string;
  readonly columns: readonly string[];
  /** Columns that must have this value; all rows where there are none. */
  readonly where?: Readonly<Record<string, string>>;
  /** The title of a chart in the place of a table: bars of the second column, in the order of the first. */
  readonly chart?: string;
}

const result = (name: string) => `tools/bench/results/${name}.md`;
const scaling = { document: 'docs/scaling.md', result: result('scaling-prometheus') };

export const quotes: readonly Quote[] = [
  {
    name: 'middleware',
    document: 'README.md',
    result: result('middleware-throughput'),
    columns: ['instrumentation', 'of bare Express', 'lowest to highest'],
    where: { routes: '9' },
  },
  {
    name: 'generator',
    document: 'README.md',
    result: result('loadgen-throughput'),
    columns: ['generator', 'requests/s', 'of autocannon'],
  },
  {
    name: 'idle',
    document: 'README.md',
    result: result('stack-idle'),
    columns: ['service', 'of one core', 'resident, MB'],
  },
  {
    ...scaling,
    name: 'process',
    columns: ['routes', 'series', 'a scrape, kB', 'gzip, kB'],
    where: { replicas: '1' },
  },
  {
    ...scaling,
    name: 'prometheus',
    columns: ['routes', 'replicas', 'series', 'Prometheus, MB', 'Prometheus, of one core'],
  },
  {
    ...scaling,
    name: 'memory',
    columns: ['series', 'Prometheus, MB'],
    chart: "Prometheus' resident memory, MB, by the series of all replicas",
  },
  {
    ...scaling,
    name: 'cpu',
    columns: ['series', 'Prometheus, of one core'],
    chart: "Prometheus' CPU time, per cent of one core, a scrape every 5 s",
  },
];

/** The first table of a document in Markdown. @throws when there is none */
function parseTable(markdown: string): Table {
  const lines = markdown.split('\n').filter((line) => line.startsWith('|'));
  const [header = [], , ...rows] = lines.map((line) =>
    line
      .slice(1, line.lastIndexOf('|'))
      .split(' | ')
      .map((cell) => cell.trim()),
  );
  if (rows.length === 0) throw new Error(`expected a table, got "${markdown.slice(0, 80)}"`);
  return rows.map((cells) => Object.fromEntries(header.map((name, i) => [name, cells[i] ?? ''])));
}

/** `markdown`, the text of the result, as the quote shows it. @throws when a column or every row is missing */
export function quoted({ name, result, columns, where = {}, chart }: Quote, markdown: string): string {
  const rows = parseTable(markdown).filter((row) =>
    Object.entries(where).every(([column, value]) => row[column] === value),
  );
  const [first] = rows;
  const missing = columns.filter((column) => first?.[column] === undefined);
  if (missing.length > 0) throw new Error(`${name}: ${result} has no ${missing.join(', ')}`);
  const chosen = rows.map((row) => Object.fromEntries(columns.map((column) => [column, row[column] ?? ''])));
  return chart === undefined ? toMarkdown(chosen) : toChart(chart, chosen);
}

/** Mermaid: its axes are linear, so that each row has a bar, and none stands at its place on a scale. */
function toChart(title: string, rows: Table): string {
  const [x = '', y = ''] = Object.keys(rows[0] ?? {});
  const number = (row: Table[number], column: string) => Number.parseFloat(row[column] ?? '');
  const sorted = rows.toSorted((a, b) => number(a, x) - number(b, x));
  const values = (column: string) => sorted.map((row) => number(row, column)).join(', ');
  return [
    '```mermaid',
    'xychart-beta',
    `  title "${title}"`,
    `  x-axis "${x}" [${values(x)}]`,
    `  y-axis "${y}"`,
    `  bar [${values(y)}]`,
    '```',
  ].join('\n');
}

/** `document` with the quote of `markdown` between its markers. @throws when it lacks them */
export function withQuote(document: string, quote: Quote, markdown: string): string {
  const [begin, end] = [`<!-- bench:${quote.name} -->`, `<!-- /bench:${quote.name} -->`];
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${quote.document} has no ${begin} followed by ${end}`);
  return `${document.slice(0, from)}${begin}\n${quoted(quote, markdown)}\n${document.slice(to)}`;
}
