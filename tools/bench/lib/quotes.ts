/**
 * Quotes tables of `tools/bench/results/` in other documents, between two markers. The first selects the result, rows (all, or those
 * with a value in a column) and columns: `<!-- bench:RESULT routes=9: variant | of bare -->`, and `<!-- /bench -->`. With the word
 * `sizing` it shows how much fits into a given memory. `npm run quote` writes them, and a test checks them.
 */
import { type Table, toMarkdown } from './report.ts';

const QUOTE = /<!-- bench:(\S+)( \w+=\w+)?( sizing)?: ([^\n]+) -->\n.*?<!-- \/bench -->/gs;

/** Returns `document` with updated quotes. @param read returns the text of a result. @throws if a column or all rows are missing */
export function withQuotes(document: string, read: (result: string) => string): string {
  return document.replaceAll(QUOTE, (whole, result, where = '', form, columns) => {
    const [key, value] = where.trim().split('=');
    const rows = parseTable(read(result)).filter((row) => where === '' || row[key] === value);
    const quoted = rows.map((row) => pick(row, columns.split(' | ')));
    if (quoted.length === 0) throw new Error(`${result}: expected rows with${where}`);
    const [marker] = whole.split('\n');
    return `${marker}\n${toMarkdown(form ? toSizing(quoted) : quoted)}\n<!-- /bench -->`;
  });
}

/** The first table of a Markdown document. @throws if there is none */
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

const number = (row: Table[number], column: string) => Number.parseFloat(row[column] ?? '');

function pick(row: Table[number], columns: readonly string[]) {
  return Object.fromEntries(
    columns.map((column) => {
      const cell = row[column];
      if (cell === undefined) throw new Error(`expected ${Object.keys(row).join(', ')}, got "${column}"`);
      return [column, cell];
    }),
  );
}

/** The share in use; the rest is for queries and for the series of replicas that a rollout replaced. */
const SHARE_IN_USE = 0.75;

/**
 * How many series fit in a given memory, by linear regression over the rows, and how many replicas that is. Uses the columns `routes`,
 * `replicas`, one of series and one of MB. Two digits, because the measurement is no more precise.
 */
function toSizing(rows: Table): Table {
  const [routes = '', replicas = '', series = '', megabytes = ''] = Object.keys(rows[0] ?? {});
  const mean = (of: (row: Table[number]) => number) =>
    rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
  const x = mean((row) => number(row, series));
  const y = mean((row) => number(row, megabytes));
  const slope =
    mean((row) => (number(row, series) - x) * (number(row, megabytes) - y)) /
    mean((row) => (number(row, series) - x) ** 2);
  const digits = (value: number) => Number(value.toPrecision(2)).toLocaleString('en-US');
  return [1, 2, 4, 8, 16].map((gibibytes) => {
    const fitting = x + (SHARE_IN_USE * gibibytes * 1.073741824e3 - y) / slope;
    const single = rows.filter((row) => row[replicas] === '1');
    const counts = single.map((row) => [
      `replicas of ${row[routes]} routes`,
      digits(Math.floor(fitting / number(row, series))),
    ]);
    return { memory: `${gibibytes} GiB`, series: digits(fitting), ...Object.fromEntries(counts) };
  });
}
