/** Tables as text, in ASCII. */
import { styleText } from 'node:util';

/**
 * @param rows the first row contains the titles, which are bold
 * @param isNumber whether a column is right-aligned; by default all but the first
 * @returns one line per row, with aligned columns
 */
export function formatTable(
  rows: readonly (readonly string[])[],
  isNumber = (column: number) => column > 0,
): string[] {
  const titles = rows[0] ?? [];
  const widths = titles.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row, n) => {
    const cells = row.map((cell, column) =>
      isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
    );
    const line = cells.join('  ').trimEnd();
    return n === 0 ? styleText('bold', line) : line;
  });
}
