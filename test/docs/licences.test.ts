import { existsSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { isAllowed, readDependencies } from '../../tools/generators/licences.ts';
import { namesIn, read, repositoryRoot } from '../support/repository.ts';

const dependencies = readDependencies(JSON.parse(read('package-lock.json')));

describe('licences', () => {
  it('of all dependencies are allowed', () => {
    expect(dependencies.length).toBeGreaterThan(500);
    expect(dependencies.filter((one) => !isAllowed(one))).toEqual([]);
  });

  it('that were determined by hand match their text', () => {
    for (const name of ['buildcheck', 'busboy', 'cpu-features', 'ssh2', 'streamsearch']) {
      const folder = `node_modules/${name}`;
      // Two of them are optional, and not installed everywhere.
      if (!existsSync(repositoryRoot + folder)) continue;
      const file = namesIn(folder).find((entry) => /^licen[cs]e/i.test(entry));
      expect(read(`${folder}/${file}`)).toContain('Permission is hereby granted, free of charge');
    }
  });

  it.each([
    ['GPL-3.0-only', true, false],
    ['AGPL-3.0-only', false, false],
    ['UNLICENSED', false, false],
    ['SEE LICENSE IN LICENSE', false, false],
    ['CC-BY-SA-4.0', true, false],
    ['CC-BY-SA-4.0', false, true],
    ['MIT', true, true],
    ['(MIT OR GPL-3.0-only)', true, true],
    ['MIT AND GPL-3.0-only', true, false],
  ])('%s, shipped %s: allowed %s', (licence, isShipped, allowed) => {
    expect(isAllowed({ name: 'a', licence, isShipped })).toBe(allowed);
  });

  it('of a package that is both shipped and a tool must be on the stricter list', () => {
    const packages = {
      'node_modules/a': { license: 'WTFPL', dev: true },
      'node_modules/b/node_modules/a': { license: 'WTFPL' },
      'node_modules/c': { license: 'MIT', link: true },
      app: { license: 'GPL' },
    };
    expect(readDependencies({ packages })).toEqual([{ name: 'a', licence: 'WTFPL', isShipped: true }]);
  });
});
