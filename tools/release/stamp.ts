/** After `changeset version`: the packages' new version for the repository itself, and for what its CHANGELOG calls unreleased. */
import { readFileSync, writeFileSync } from 'node:fs';
import { publicPackages } from '../generators/address.ts';
import { stampChangelog } from './plan.ts';

const root = new URL('../../', import.meta.url);
const edit = (path: string, change: (text: string) => string) =>
  writeFileSync(new URL(path, root), change(readFileSync(new URL(path, root), 'utf8')));

const [{ version } = { version: '' }] = publicPackages;
edit('CHANGELOG.md', (text) => stampChangelog(text, version, new Date().toISOString().slice(0, 10)));
edit('package.json', (text) => text.replace(/"version": ".*"/, `"version": "${version}"`));
