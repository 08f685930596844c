/**
 * Judges all libraries, or the named ones, and writes the results and their page: `npm run conformance [NAME...]`. Skips libraries that
 * this machine cannot run, with the reason.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { columns } from './columns.ts';
import { LeftOut } from './install.ts';
import { judge } from './judge.ts';
import { page, type Results } from './page.ts';
import { type ProgramName, programNames } from './programs.ts';
import { versionsOf } from './versions.ts';

const words = process.argv.slice(2);
const names = programNames.filter((name) => words.length === 0 || words.includes(name));
if (names.length < words.length) {
  process.stderr.write(`expected names of ${programNames.join(', ')}; got "${words.join(' ')}"\n`);
  process.exit(2);
}
const file = new URL('results/results.json', import.meta.url);
const results: Partial<Results> = words.length === 0 ? {} : JSON.parse(readFileSync(file, 'utf8'));
for (const name of names) {
  process.stderr.write(`${columns[name].title}\n`);
  results[name] = await attempt(name);
}
const ordered = Object.fromEntries(programNames.map((name) => [name, results[name]])) as Results;
writeFileSync(file, `${JSON.stringify(ordered, null, 2)}\n`);
writeFileSync(new URL('../../docs/who-counts-right.md', import.meta.url), page(ordered));

async function attempt(name: ProgramName): Promise<Results[ProgramName]> {
  try {
    const date = new Date().toISOString().slice(0, 10);
    return { date, versions: await versionsOf(columns[name]), cells: await judge(name) };
  } catch (error) {
    if (!(error instanceof LeftOut)) throw error;
    process.stderr.write(`left out: ${error.message}\n`);
    return { leftOut: error.message };
  }
}
