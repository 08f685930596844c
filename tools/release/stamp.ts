/** Runs after `changeset version`: applies the packages' new version to the repository and to the unreleased section of its CHANGELOG. */
import { writeFileSync } from 'node:fs';
import { read, repositoryRoot } from '../../test/support/repository.ts';
import { publicPackages } from '../generators/address.ts';
import { stampChangelog } from './plan.ts';

const edit = (path: string, change: (text: string) => string) =>
  writeFileSync(repositoryRoot + path, change(read(path)));

const [{ version } = { version: '' }] = publicPackages;
edit('CHANGELOG.md', (text) => stampChangelog(text, version, new Date().toISOString().slice(0, 10)));
edit('package.json', (text) => text.replace(/"version": ".*"/, `"version": "${version}"`));
for (const path of ['base/api/deployment', 'base/ledger/statefulset', 'load/job'])
  edit(`kubernetes/${path}.yaml`, (text) =>
    text.replace(/(image: observability-stack\/\w+:).*/, `$1${version}`),
  );
