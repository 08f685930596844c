/** Tables for people: printed, and written to `tools/bench/results/` where the README can quote them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';

export type Table = readonly Readonly<Record<string, string>>[];

/** Middle of `values`; of an even number the mean of the two in the middle. @throws for none */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('no median of no values');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}

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

/** The machine and Node, and the versions of `packages`, which are those that the benchmark compares. */
export function describeMachine(packages: readonly string[]): string {
  const [first] = cpus();
  const lock = readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8');
  const { packages: locked } = JSON.parse(lock) as {
    packages: Record<string, { version: string } | undefined>;
  };
  const versions = packages.map((name) => {
    const entry = locked[`tools/node_modules/${name}`] ?? locked[`node_modules/${name}`];
    return `${name} ${entry?.version}`;
  });
  const machine = `${cpus().length} x ${first?.model.trim()}, Linux ${release()}, Node ${process.versions.node}`;
  return [machine, ...versions].join(', ');
}

/**
 * Prints `text` and writes it to `tools/bench/results/<name>.md`; a quick run is printed only, since its numbers are rough.
 */
export function report(name: string, text: string, quick: boolean): void {
  process.stdout.write(`\n${text}\n`);
  if (!quick) writeFileSync(new URL(`../results/${name}.md`, import.meta.url), `${text}\n`);
}
