/** Reads values from the text of an exposition. */

/** The sum of the series of a metric, or of those whose labels contain `labels`. */
export const sumOf = (text: string, metric: string, labels = ''): number =>
  [
    ...text.matchAll(
      new RegExp(`^${metric}${labels ? `\\{.*${labels}.*\\}` : '(?:\\{.*\\})?'} (\\S+)$`, 'gm'),
    ),
  ]
    .map(([, value]) => Number(value))
    .reduce((sum, value) => sum + value, 0);
