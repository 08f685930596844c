/** What a release of a tag consists of, computed from the repository's own files. Nothing is run or asked here. */

export interface Repository {
  /** https://github.com/OWNER/NAME */
  readonly address: string;
  readonly version: string;
  readonly packages: readonly {
    readonly name: string;
    readonly folder: string;
    readonly version: string;
  }[];
  readonly changelog: string;
}

export interface Plan {
  readonly version: string;
  readonly isPrerelease: boolean;
  /** Where npm finds it without a version. */
  readonly distTag: 'latest' | 'next';
  readonly packages: readonly { readonly name: string; readonly folder: string }[];
  readonly images: readonly {
    readonly target: string;
    readonly name: string;
    readonly tags: readonly string[];
  }[];
  /** The section of the CHANGELOG, its links made absolute. */
  readonly notes: string;
}

/** The targets of the Dockerfile that are published. */
const TARGETS = ['app', 'loadgen'];

/** @throws with every problem, one a line */
export function planRelease(tag: string, repository: Repository): Plan {
  const { address, packages, changelog } = repository;
  const version = /^v(\d+\.\d+\.\d+(?:-[\w.]+)?)$/.exec(tag)?.[1] ?? '';
  const section = sectionOf(changelog, version);
  const versions = [{ name: 'package.json', version: repository.version }, ...packages];
  const problems = [
    ...(version === '' ? [`tag: expected v and a version, such as v1.2.3, got "${tag}"`] : []),
    ...versions
      .filter((one) => one.version !== version)
      .map((one) => `${one.name}: expected the version of the tag ${tag}, got "${one.version}"`),
    ...(section === '' ? [`CHANGELOG.md: expected a section [${version}] with a text`] : []),
  ];
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const isPrerelease = version.includes('-');
  // A registry takes lower-case names only.
  const prefix = address.replace('https://github.com/', 'ghcr.io/').toLowerCase();
  const tags = isPrerelease ? [version] : [version, version.replace(/\.\d+$/, ''), 'latest'];
  return {
    version,
    isPrerelease,
    distTag: isPrerelease ? 'next' : 'latest',
    packages,
    images: TARGETS.map((target) => ({ target, name: `${prefix}/${target}`, tags })),
    notes: section.replace(/\]\((?!https?:)/g, `](${address}/blob/${tag}/`),
  };
}

function sectionOf(changelog: string, version: string): string {
  const section = changelog.split(/^## /m).find((text) => text.startsWith(`[${version}]`)) ?? '';
  return section.slice(section.indexOf('\n')).trim();
}

/** A CHANGELOG whose [Unreleased] has become a version. @throws if that section is empty */
export function stampChangelog(changelog: string, version: string, date: string): string {
  if (sectionOf(changelog, 'Unreleased') === '')
    throw new Error('CHANGELOG.md: expected entries under [Unreleased]');
  return changelog.replace('## [Unreleased]', `## [Unreleased]\n\n## [${version}] - ${date}`);
}
