/** Parses the exemplars of an exposition. */

/** The exemplars of an exposition by series, without times. */
export const exemplarsIn = (text: string) =>
  Object.fromEntries(
    [...text.matchAll(/^(\S+\{.*?\}|\S+) \S+ # (\{.*\}) (\S+) (\S+)$/gm)].map(([, series, labels]) => [
      series,
      labels,
    ]),
  );
/** Their trace ids. */
export const idsIn = (text: string) => [...text.matchAll(/ # \{trace_id="(\w+)"\}/g)].map(([, id]) => id);
