/** Renders docs/who-counts-right.md from the results of the last run. */
import { toMarkdown, wrap } from '../bench/lib/report.ts';
import { type Column, columns, type Note } from './columns.ts';
import { type Cells, ONE_BY_DESIGN, otherRows, type RowName } from './judge.ts';
import { probes } from './probes.ts';
import { type ProgramName, programNames } from './programs.ts';

export type Results = Record<ProgramName, Result>;
export type Result =
  | { readonly date: string; readonly versions: string; readonly cells: Cells }
  | { readonly leftOut: string };

type Rows = Readonly<Partial<Record<RowName, string>>>;

const LANGUAGES: readonly (readonly Column['language'][])[] = [['Node'], ['Python', 'Go', 'Java']];
const { processes, ...FACTS } = otherRows;
const JUDGED: Rows = {
  ...Object.fromEntries(Object.entries(probes).map(([row, { title }]) => [row, title])),
  processes,
};

export const judgedRows = Object.keys(JUDGED) as Exclude<RowName, keyof typeof FACTS>[];

/** The note for a cell from the library's documentation. */
export const noteOf = (name: ProgramName, row: RowName, text: string) =>
  columns[name].notes?.find(({ cells }) => (cells as Rows)[row] === text);

const linked = (name: ProgramName) => `[${columns[name].title}](${columns[name].documentation})`;

export function page(results: Results): string {
  const notes: string[] = [];
  const refer = (name: ProgramName, { sentence }: Note) => {
    const note = `${linked(name)}: ${sentence}`;
    if (!notes.includes(note)) notes.push(note);
    return notes.indexOf(note) + 1;
  };
  const cell = (name: ProgramName, row: RowName) => {
    const result = results[name];
    if ('leftOut' in result) return 'left out';
    const text = result.cells[row];
    if (text === '') return '✓';
    const note = noteOf(name, row, text);
    if (note) return `${text} (${refer(name, note)})`;
    return row in FACTS || text === ONE_BY_DESIGN ? text : `**${text}**`;
  };
  const table = (rows: Rows, names: readonly ProgramName[]) =>
    toMarkdown(
      Object.entries(rows).map(([row, title]) => ({
        request: title,
        ...Object.fromEntries(names.map((name) => [columns[name].title, cell(name, row as RowName)])),
      })),
    );
  const tables = (rows: Rows) =>
    LANGUAGES.map((languages) =>
      table(
        rows,
        programNames.filter((name) => languages.includes(columns[name].language)),
      ),
    ).join('\n\n');
  const judged = programNames.map((name) => {
    const { file, metric, sentence } = columns[name];
    const result = results[name];
    const how = 'leftOut' in result ? `left out: ${result.leftOut}` : result.versions;
    const program = `[program](../tools/conformance/programs/${file})`;
    return wrap(`- ${linked(name)} (${program}; ${how}): \`${metric.name}\`, ${sentence}`, '  ');
  });
  const dates = new Set(Object.values(results).flatMap((result) => ('date' in result ? [result.date] : [])));
  return `# Who counts right

Which library counts every HTTP request exactly once, with the right labels? This page compares ten ways to count
requests for Prometheus, each in a [small program](../tools/conformance/programs) that is set up as the library's
documentation says. To repeat the comparison:

\`\`\`sh
npm run conformance
\`\`\`

All programs serve the same routes. Each row is a request or a series of requests, written to a raw socket; the
difference between a scrape before and one after it shows what was counted:

- ✓: each request was counted once, with its method, route and code, as far as the metric has these labels.
- Other cells show what was counted instead. A number refers to a [note](#notes) that quotes what the
  library's documentation says about it; for **bold** results, we found nothing.
- A route may be in the library's notation, such as \`/users/{id}\` or \`/users/#val\`, and a request that matches none
  may be under any fixed name.
- If the client closed early, the code may be any that does not claim that a response was sent, such as 499. "as 200"
  means that the handler continued and its code was counted, although the client received nothing.
- The four processes are workers of \`node:cluster\`, scraped through the library's aggregation if it documents one, or of
  gunicorn or uvicorn with \`PROMETHEUS_MULTIPROC_DIR\`.

${tables(JUDGED)}

## Not a matter of right or wrong

Only express-exact-metrics promises the first row. A program that does not handle SIGTERM leaves its requests
unanswered.

${tables(FACTS)}

## What is judged

The metric of each library, and how its documentation describes it (${[...dates].sort().join(', ')}):

${judged.join('\n')}

## Notes

${notes.map((note, i) => wrap(`${i + 1}. ${note}`, '   ')).join('\n')}

## Corrections

If a set-up is wrong or a newer version counts differently, change the program, run \`npm run conformance\` (or
\`npm run conformance -- promhttp\`, for one library), and send the [results](../tools/conformance/results/results.json)
and this page, which it writes. Where a language (Python, Go, or Java with Maven) or its registry is missing, its
libraries are left out, and the page gives the reason. A test compares the programs in Node and Python with this page.
`;
}
