/** The versions of the tested libraries, from the files that pin them, and of the languages, from their commands. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockedVersion } from '../bench/lib/report.ts';
import type { Column } from './columns.ts';
import { programs, run } from './install.ts';

const pinned = (file: string, pattern: string): string =>
  new RegExp(pattern, 'm').exec(readFileSync(join(programs, file), 'utf8'))?.[1] ?? 'unknown';

const LANGUAGES: Readonly<
  Record<Column['language'], { version: () => Promise<string>; packageVersion: (name: string) => string }>
> = {
  Node: { version: async () => process.version.slice(1), packageVersion: lockedVersion },
  Python: {
    version: async () => (await run('python3', '--version')).replace('Python ', ''),
    packageVersion: (name) => pinned('requirements.txt', `^${name}==(.*)$`),
  },
  Go: {
    version: async () => (await run('go', 'env', 'GOVERSION')).replace('go', ''),
    packageVersion: (name) => pinned('promhttp/go.mod', `${name} v(.*)$`),
  },
  Java: {
    version: async () => /\d[\d.]*/.exec(await run('java', '--version'))?.[0] ?? 'unknown',
    packageVersion: () => pinned('micrometer/pom.xml', '<version>(.*)</version>'),
  },
};

/** For example "Node 24.21.0, express 5.3.0". */
export async function versionsOf({ language, packages }: Column): Promise<string> {
  const { version, packageVersion } = LANGUAGES[language];
  return [
    `${language} ${await version()}`,
    ...packages.map((name) => `${name} ${packageVersion(name)}`),
  ].join(', ');
}
