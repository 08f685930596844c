/** The contents of a tag's release, computed from the repository's files. Runs and queries nothing. */

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

export type Plan = ReturnType<typeof planRelease>;

/** The published targets of the Dockerfile. */
const TARGETS = ['app', 'loadgen'];

/** @throws with every problem, one per line */
export function planRelease(tag: string, repository: Repository) {
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
  // Registries accept only lower-case names.
  const prefix = address.replace('https://github.com/', 'ghcr.io/').toLowerCase();
  const tags = isPrerelease ? [version] : [version, version.replace(/\.\d+$/, ''), 'latest'];
  return {
    version,
    isPrerelease,
    // npm installs `latest` if no version is given.
    distTag: isPrerelease ? 'next' : 'latest',
    packages,
    images: TARGETS.map((target) => ({ target, name: `${prefix}/${target}`, tags })),
    // With absolute links.
    notes: section.replace(/\]\((?!https?:)/g, `](${address}/blob/${tag}/`),
  };
}

function sectionOf(changelog: string, version: string): string {
  const section = changelog.split(/^## /m).find((text) => text.startsWith(`[${version}]`)) ?? '';
  return section.slice(section.indexOf('\n')).trim();
}

/** Turns [Unreleased] of a CHANGELOG into a version. @throws if it has no entries */
export function stampChangelog(changelog: string, version: string, date: string): string {
  if (sectionOf(changelog, 'Unreleased') === '')
    throw new Error('CHANGELOG.md: expected entries under [Unreleased]');
  return changelog.replace('## [Unreleased]', `## [Unreleased]\n\n## [${version}] - ${date}`);
}
