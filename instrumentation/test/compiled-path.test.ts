/** The paths of mounts in Express 4, read from their compiled expressions. */
import { describe, expect, it } from '@jest/globals';
import type { Router } from 'express';
import { alternativesOf } from '../src/express/patterns.ts';
import type { Layer } from '../src/express/types.ts';

type Mountable = Router & { stack: Layer[] };

/** The layer that a router adds when something is mounted at `path`. */
async function mount(version: string, path: string | RegExp | (string | RegExp)[]): Promise<Layer> {
  const { default: express } = (await import(version)) as { default: { Router(): Mountable } };
  const router = express.Router();
  router.use(path, (_request, _response, next) => next());
  return router.stack[0] as Layer;
}

const patternsOf = (layer: Layer) => alternativesOf(layer, undefined).map(({ pattern }) => String(pattern));

describe.each(['express-4', 'express-4-18'])('a mount of %s', (version) => {
  it.each([
    '/a',
    '/a-b_c~d',
    '/a.b',
    '/:id',
    '/:from-:to',
    '/:from-:to/:last',
    '/f/:file.:ext',
    '/f.:ext?',
    '/:a?',
    '/:a?/:b?',
    '/x/:a?/y',
    '/:id(\\d+)',
    '/:id(\\d+)/:name([a-z]{2,})?',
    '/:lang(en|fr)/docs',
    '/v:major.:minor',
    '/:path*',
    '/*',
    '/a/*/b',
    '/*.:ext',
    '*',
    '/ab?cd',
    '/ab+cd',
    '/ab*cd',
    '/ab(cd)?e',
    '/(:id)',
    '/a(b|c)/:id(\\d+)/*',
    '/:id(\\d+|new)',
    '/:a:b',
    '/[ab]/c',
  ])('at %s gets that label', async (path) => {
    expect(patternsOf(await mount(version, path))).toEqual([path]);
  });

  it('at several paths gets the label of each, with its own parameters', async () => {
    const paths = ['/a/:b', '/c(d)?/:e.:f', '/g'];
    expect(patternsOf(await mount(version, paths))).toEqual(paths);
  });

  it('at a path with a trailing slash gets a label without the slash', async () => {
    expect(patternsOf(await mount(version, '/a/:b/'))).toEqual(['/a/:b']);
  });

  it.each([/^\/ab+c/, /^\/(?<name>[a-z]+)/i])('at an expression gets that label: %s', async (expression) => {
    expect(patternsOf(await mount(version, expression))).toEqual([String(expression)]);
  });
});

it('a mount of Express 4.22 gets its original path as label if that contains an escape or a named group', async () => {
  for (const path of ['/a\\(b\\)', '/a\\:b', '/a(?<year>\\d+)/:id', '/(ab)?cd', '/(a|b)/:id', '/:id(\\d*)'])
    expect(patternsOf(await mount('express-4', path))).toEqual([path]);
});
