/** The licences of the dependencies, read from the lock file, and whether we may use them. */
import satisfies from 'spdx-satisfies';
import { wrap } from '../bench/lib/report.ts';

export interface Dependency {
  readonly name: string;
  /** An SPDX expression, or the text of the package's metadata if that is not one. */
  readonly licence: string;
  /** Whether it is in an image, or installed with a published package; otherwise it is a development tool. */
  readonly isShipped: boolean;
}

type LockEntry = {
  readonly name?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
};

interface LockFile {
  readonly packages: Readonly<Record<string, LockEntry>>;
}

/** Permissive licences, which only require a notice. */
const FOR_EVERYTHING = 'MIT MIT-0 ISC 0BSD BSD-2-Clause BSD-3-Clause Apache-2.0 BlueOak-1.0.0 Zlib'.split(
  ' ',
);

/** Also allowed for development tools: texts and data under Creative Commons, and two waivers of all rights. */
const FOR_DEVELOPMENT = [
  ...FOR_EVERYTHING,
  ...'CC0-1.0 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-4.0 Unlicense WTFPL'.split(' '),
];

/** Packages whose licence metadata is unreadable to npm or not an SPDX expression. These licences are from their texts. */
const READ_BY_HAND: Readonly<Record<string, string>> = {
  buildcheck: 'MIT',
  busboy: 'MIT',
  'cpu-features': 'MIT',
  ssh2: 'MIT',
  streamsearch: 'MIT',
  '@cspell/dict-en-common-misspellings': 'CC-BY-SA-4.0',
};

/** Every package of the lock file once, sorted by name. A package is shipped if any of its versions is. */
export function readDependencies(lockFile: LockFile): Dependency[] {
  const found = new Map<string, Dependency>();
  for (const [path, { name, license, dev = false, link = false }] of Object.entries(lockFile.packages)) {
    if (link || !path.includes('node_modules/')) continue;
    const own = name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const licence = READ_BY_HAND[own] ?? license ?? 'none that npm can read';
    const key = `${own} ${licence}`;
    found.set(key, { name: own, licence, isShipped: !dev || (found.get(key)?.isShipped ?? false) });
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function isAllowed({ licence, isShipped }: Dependency): boolean {
  try {
    return satisfies(licence, isShipped ? FOR_EVERYTHING : FOR_DEVELOPMENT);
  } catch {
    return false;
  }
}

/** docs/licences.md */
export function describeLicences(dependencies: readonly Dependency[]): string {
  const section = (title: string, isShipped: boolean) => {
    const own = dependencies.filter((one) => one.isShipped === isShipped);
    const licences = [...new Set(own.map(({ licence }) => licence))].sort();
    const items = licences.map((licence) => {
      const names = own.filter((one) => one.licence === licence).map(({ name }) => `\`${name}\``);
      return wrap(`- **${licence}** (${names.length}): ${names.join(', ')}`, '  ');
    });
    return `## ${title}\n\n${items.join('\n')}\n`;
  };
  return `# Licences

This page shows the obligations that come with the dependencies, by licence. This repository itself is under the [Apache
License 2.0](../LICENSE). A test fails if the page is out of date, or if a package has a licence that is not
[allowed](../tools/generators/licences.ts). To update it from \`package-lock.json\`:

\`\`\`sh
npm run generate
\`\`\`

${section('In the images, or installed with a package', true)}
${section('Development tools', false)}`;
}
