/**
 * Tables of `tools/bench/results/` as other documents quote them: some of the columns, some of the rows, between two markers of
 * the form `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`. Written by `npm run quote`; a test compares.
 */
import { type Table, toMarkdown } from './report.ts';

export interface Quote {
  /** The name in the markers. */
  readonly name: string;
  /** The document, from the repository's root. */
  readonly document: string;
  /** A file of `tools/bench/results/`, without its ending. */
  readonly result: string;
  /** Column of the result, and what it is called in the document. */
  readonly columns: Readonly<Record<string, string>>;
  /** Columns that must have this value; all rows where there are none. */
  readonly where?: Readonly<Record<string, string>>;
}

/** Columns that keep their names. */
const same = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, name]));

export const quotes: readonly Quote[] = [
  {
    name: 'middleware',
    document: 'README.md',
    result: 'middleware-throughput',
    columns: {
      variant: 'instrumentation',
      'of bare': 'requests/s, of bare Express',
      'of bare by CPU': 'by CPU time',
    },
    where: { routes: '9' },
  },
  {
    name: 'generator',
    document: 'README.md',
    result: 'loadgen-throughput',
    columns: {
      generator: 'generator',
      'requests/s': 'requests/s on one core',
      'of autocannon': 'of autocannon',
    },
  },
  {
    name: 'idle',
    document: 'README.md',
    result: 'stack-idle',
    columns: { service: 'idle', 'of one core': 'of one core', 'resident, MB': 'resident, MB' },
  },
  {
    name: 'process',
    document: 'docs/scaling.md',
    result: 'middleware-footprint',
    columns: same(
      'routes',
      'series',
      'scrape, kB',
      'gzip, kB',
      'scrape, ms',
      'heap, MB',
      'resident, MB',
      'start, ms',
    ),
    where: { variant: 'express-exact-metrics' },
  },
  {
    name: 'prometheus',
    document: 'docs/scaling.md',
    result: 'scaling-prometheus',
    columns: same('routes', 'replicas', 'series', 'Prometheus, MB', 'Prometheus, of one core'),
  },
];

/** The first table of a document in Markdown. @throws when there is none */
export function parseTable(markdown: string): Table {
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

/** What stands between the markers of `quote`. @throws when a column or every row is missing */
export function quoted({ name, result, columns, where = {} }: Quote, table: Table): string {
  const rows = table.filter((row) => Object.entries(where).every(([column, value]) => row[column] === value));
  const [first] = rows;
  const missing = Object.keys(columns).filter((column) => first?.[column] === undefined);
  if (missing.length > 0) throw new Error(`${name}: results/${result}.md has no ${missing.join(', ')}`);
  return toMarkdown(
    rows.map((row) => Object.fromEntries(Object.entries(columns).map(([from, to]) => [to, row[from] ?? '']))),
  );
}

/** The document with `text` between the markers. @throws when it lacks them */
export function withQuote(document: string, { name, document: path }: Quote, text: string): string {
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path} has no ${begin} followed by ${end}`);
  return `${document.slice(0, from)}${begin}\n${text}\n${document.slice(to)}`;
}
