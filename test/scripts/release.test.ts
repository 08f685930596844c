/** `npm run release`: what a tag releases, when it is refused, and that npm would accept the packages. */
import { statSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { publicPackages } from '../../tools/generators/address.ts';
import { planRelease, type Repository, stampChangelog } from '../../tools/release/plan.ts';
import { run } from '../support/command.ts';
import { read, repositoryRoot } from '../support/repository.ts';

const address = 'https://github.com/Example/stack';
const repository: Repository = {
  address,
  version: '1.2.3',
  packages: [
    { name: 'one', folder: 'a', version: '1.2.3' },
    { name: 'two', folder: 'b', version: '1.2.3' },
  ],
  changelog:
    '# Changelog\n\n## [1.2.3] - 2027-01-02\n\n- New: [x](docs/x.md), [y](https://y.example/).\n\n## [1.2.2]\n\n- Old.\n',
};

it('a tag releases every public package, images with three tags, and its section of the CHANGELOG', () => {
  const { packages, images, notes, distTag } = planRelease('v1.2.3', repository);
  expect(packages.map(({ name }) => name)).toEqual(['one', 'two']);
  const tags = ['1.2.3', '1.2', 'latest'];
  expect(images).toEqual([
    { target: 'app', name: 'ghcr.io/example/stack/app', tags },
    { target: 'loadgen', name: 'ghcr.io/example/stack/loadgen', tags },
  ]);
  expect({ notes, distTag }).toEqual({
    notes: `- New: [x](${address}/blob/v1.2.3/docs/x.md), [y](https://y.example/).`,
    distTag: 'latest',
  });
});

it('a release candidate does not replace a release', () => {
  const version = '1.2.3-rc.1';
  const packages = repository.packages.map((one) => ({ ...one, version }));
  const changelog = repository.changelog.replace('1.2.3', version);
  const plan = planRelease(`v${version}`, { ...repository, version, packages, changelog });
  expect(plan).toMatchObject({ distTag: 'next', isPrerelease: true, images: [{ tags: [version] }, {}] });
});

it('all problems are reported at once', () => {
  expect(() => planRelease('v1.2.4', repository)).toThrow(
    [
      'package.json: expected the version of the tag v1.2.4, got "1.2.3"',
      'one: expected the version of the tag v1.2.4, got "1.2.3"',
      'two: expected the version of the tag v1.2.4, got "1.2.3"',
      'CHANGELOG.md: expected a section [1.2.4] with a text',
    ].join('\n'),
  );
  expect(() => planRelease('1.2.3', repository)).toThrow(
    'tag: expected v and a version, such as v1.2.3, got "1.2.3"',
  );
});

it('unreleased entries become a version; without entries it throws', () => {
  const before = '# Changelog\n\n## [Unreleased]\n\n- New.\n';
  const after = '# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2027-01-02\n\n- New.\n';
  expect(stampChangelog(before, '1.2.3', '2027-01-02')).toBe(after);
  expect(() => stampChangelog(after, '1.2.4', '2027-01-03')).toThrow('expected entries under [Unreleased]');
});

const { version } = JSON.parse(read('package.json')) as { version: string };
const release = (...words: string[]) =>
  run('node', ['tools/release/release.ts', ...words], { ...process.env, npm_config_offline: 'true' });

it('a dry run passes each public package through npm publish, and does not change the build', async () => {
  const built = () =>
    ['loadgen/dist/api.js', 'instrumentation/dist/esm/index.js'].map((file) => {
      const { ino, mtimeMs } = statSync(`${repositoryRoot}${file}`);
      return { ino, mtimeMs };
    });
  const before = built();
  const { exitCode, stdout } = await release('packages', `v${version}`, '--dry-run');
  const expected = publicPackages.map(({ name }) => `would publish ${name}@${version} as latest\n`);
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expected.join('') });
  expect(expected.length).toBeGreaterThan(0);
  expect(built()).toEqual(before);
});

it('a dry run prints the text of the release; other tags and words are refused', async () => {
  const { exitCode, stdout } = await release('github', `v${version}`, '--dry-run');
  expect({ exitCode, stdout }).toEqual({
    exitCode: 0,
    stdout: expect.stringContaining('](https://github.com/'),
  });
  expect(await release('github', 'v99.0.0', '--dry-run')).toMatchObject({ exitCode: 1, stdout: '' });
  expect(await release('everything', `v${version}`)).toMatchObject({ exitCode: 2, stdout: '' });
});
