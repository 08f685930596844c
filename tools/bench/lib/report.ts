/** Prints tables in Markdown, and writes them to `tools/bench/results/`, from where documents quote them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';

export type Table = readonly Readonly<Record<string, string>>[];

/** A short run, whose figures are too imprecise to be written. */
export const quick = process.argv.includes('--quick');

/** The median of `values`. @throws if there are none */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('no median of no values');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}

export const spread = (values: readonly number[]) =>
  `${Math.min(...values).toFixed(2)} - ${Math.max(...values).toFixed(2)}`;

/** A Markdown table, padded so that it is readable as text; the columns are the keys of the first row. */
export function toMarkdown(rows: Table): string {
  const columns = Object.keys(rows[0] ?? {});
  const widths = columns.map((column) =>
    Math.max(column.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [columns, rule, ...rows.map((row) => columns.map((column) => row[column] ?? ''))]
    .map(line)
    .join('\n');
}

const MAX_COLUMNS = 120;

/** A paragraph in lines of at most 120 characters, the later ones indented; code and long words stay whole. */
export function wrap(text: string, indent = ''): string {
  const [first = '', ...words] = text.match(/(?:`[^`]*`|\S)+/g) ?? [];
  const lines = [first];
  for (const word of words) {
    const line = `${lines.at(-1)} ${word}`;
    if (line.length > MAX_COLUMNS) lines.push(indent + word);
    else lines[lines.length - 1] = line;
  }
  return lines.join('\n');
}

/** The version of an npm package of the tools, from the lock file. */
export function lockedVersion(name: string): string {
  const lock = readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8');
  const { packages } = JSON.parse(lock) as {
    packages: Record<string, { version?: string; link?: boolean; resolved?: string } | undefined>;
  };
  const installed = packages[`tools/node_modules/${name}`] ?? packages[`node_modules/${name}`];
  // A workspace is a link.
  const entry = installed?.link ? packages[installed.resolved ?? ''] : installed;
  if (entry?.version === undefined) throw new Error(`package-lock.json: expected a version of ${name}`);
  return entry.version;
}

/** The machine, the version of Node, and the versions of the compared `packages`. */
function describeMachine(packages: readonly string[]): string {
  const [first] = cpus();
  const machine = `${cpus().length} x ${first?.model.trim()}, Linux ${release()}, Node ${process.versions.node}`;
  return [machine, ...packages.map((name) => `${name} ${lockedVersion(name)}`)].join(', ');
}

/** Prints the table and the method; unless {@link quick}, writes both to `tools/bench/results/<name>.md`. */
export function report(name: string, rows: Table, method: string, packages: readonly string[] = []): void {
  const command = `npm run bench --workspace tools -- ${name}`;
  const how = wrap(`${method} ${describeMachine(packages)}. \`${command}\``);
  const text = `${toMarkdown(rows)}\n\n${how}\n`;
  process.stdout.write(`\n${text}`);
  if (!quick) writeFileSync(new URL(`../results/${name}.md`, import.meta.url), text);
}
