/** Writes docs/licences.md anew: `npm run generate --workspace docs`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describeLicences, readDependencies } from './licences.ts';

const lockFile = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'));
writeFileSync(new URL('../licences.md', import.meta.url), describeLicences(readDependencies(lockFile)));
