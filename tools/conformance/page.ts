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
    const how = 'leftOut' in result ? `left out: ${result.leftOut}` : `${result.versions}; ${result.date}`;
    const program = `[program](../tools/conformance/programs/${file})`;
    return wrap(`- ${linked(name)}, ${program}: \`${metric.name}\`, ${sentence} (${how})`, '  ');
  });
  return `# Who counts right

Which library counts every HTTP request exactly once, and as what it was? Ten ways to count requests for Prometheus,
each in a [small program](../tools/conformance/programs) that is set up as the library's documentation says. To repeat
it:

\`\`\`sh
npm run conformance
\`\`\`

All programs serve the same routes. Each probe is sent byte by byte, and the difference of two scrapes shows what was
counted.

- ✓: each request was counted once, with its method, its route and the code of its response, as far as the metric has
  these labels.
- Anything else is what was counted instead. A number refers to a [note](#notes): the documentation says so. **Bold**
  results were not found in the documentation.
- A route may be written in the library's form, \`/users/{id}\` or \`/users/#val\`. A request without a route may be
  counted under any fixed name, and one whose client did not wait under any code but that of a response.
- "as 200" for such a request: the handler continued, and the code is what it sent, not what the client received.
- Four processes: \`node:cluster\`, whose primary replaces each worker that ends, scraped through the library's
  aggregation if it documents one; gunicorn or uvicorn with \`PROMETHEUS_MULTIPROC_DIR\`.

${tables(JUDGED)}

## Not a matter of right or wrong

Know these before you [verify](verify-your-metrics.md) what Prometheus counts. No other library promises the first row,
and if a program does not handle SIGTERM, its requests end unanswered.

${tables(FACTS)}

## What is judged

The metric, what the documentation says about it, the versions and the date:

${judged.join('\n')}

## Notes

${notes.map((note, i) => wrap(`${i + 1}. ${note}`, '   ')).join('\n')}

## Corrections

\`npm run conformance\` starts each program, sends the probes, and writes
[the results](../tools/conformance/results/results.json) and this page; \`npm run conformance -- promhttp\` does so for
one. The first table needs only Node. The others need Python, Go, and Java with Maven, and are left out, with the
reason, where a language or its registry is missing. A test compares the programs in Node and Python with this page. If
a set-up is wrong or a newer version counts differently, change the program, run it, and send the result.
`;
}
