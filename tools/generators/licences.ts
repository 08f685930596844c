/** Under which licences the dependencies are, read from the lock file, and whether those are ones that we may use. */
import satisfies from 'spdx-satisfies';

export interface Dependency {
  readonly name: string;
  /** An SPDX expression; whatever the package says where that is none. */
  readonly licence: string;
  /** In an image, or installed with a published package; the others are development tools. */
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

/** Permissive: all they require is a notice. */
const FOR_EVERYTHING = 'MIT MIT-0 ISC 0BSD BSD-2-Clause BSD-3-Clause Apache-2.0 BlueOak-1.0.0 Zlib'.split(
  ' ',
);

/** In addition for what is not shipped: texts and data under Creative Commons, and two ways of giving up all rights. */
const FOR_DEVELOPMENT = [
  ...FOR_EVERYTHING,
  ...'CC0-1.0 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-4.0 Unlicense WTFPL'.split(' '),
];

/** Packages whose metadata is of a form that npm does not read, or no SPDX expression; the licence is that of their own text. */
const READ_BY_HAND: Readonly<Record<string, string>> = {
  buildcheck: 'MIT',
  busboy: 'MIT',
  'cpu-features': 'MIT',
  ssh2: 'MIT',
  streamsearch: 'MIT',
  '@cspell/dict-en-common-misspellings': 'CC-BY-SA-4.0',
};

/** Every package of the lock file once, in the order of the names; one that is shipped in any version counts as shipped. */
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
    const rows = licences.map((licence) => {
      const names = own.filter((one) => one.licence === licence).map(({ name }) => `\`${name}\``);
      return `| ${licence} | ${names.length} | ${names.join(', ')} |`;
    });
    return `## ${title}\n\n| licence | packages | which |\n|---|---|---|\n${rows.join('\n')}\n`;
  };
  return `# Licences

This repository is under the [Apache License 2.0](../LICENSE). What it depends on is listed here by licence; \`npm run generate\` writes this page from \`package-lock.json\`, and a
test fails where a package has a licence that is not on the [list](../tools/generators/licences.ts) of those that we may use, or where this page is not up to date.

${section('In the images, or installed with a package', true)}
${section('Development tools', false)}`;
}
