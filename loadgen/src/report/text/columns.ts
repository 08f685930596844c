/** Tables as text, in ASCII. */

/** @returns the rows as lines with aligned columns. The first row has the titles; columns of numbers are right-aligned */
export function alignColumns(
  rows: readonly (readonly string[])[],
  isNumber: (column: number) => boolean,
): string[] {
  const titles = rows[0] ?? [];
  const widths = titles.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
    );
    return cells.join('  ').trimEnd();
  });
}
