/** Sums over lists and records. */

export function sumOf<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0);
}

export function sumRecords<K extends string>(
  records: readonly Readonly<Partial<Record<K, number>>>[],
): Record<K, number> {
  const sums: Partial<Record<K, number>> = {};
  for (const one of records)
    for (const [key, count] of Object.entries(one) as [K, number][]) sums[key] = (sums[key] ?? 0) + count;
  return sums as Record<K, number>;
}
