/** What `make audit` makes of each answer that a registry has, and what is in the bill of materials of `npm run sbom`. */
import { readFile } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import { repositoryRoot } from '../support/repository.ts';
import { useSandbox } from './sandbox.ts';

const box = useSandbox();

const FLAW = '{\n  "vulnerabilities": {\n    "lodash": { "severity": "high" }\n  }\n}';
const LEFT_OUT = 'Left out: known flaws of the dependencies; the registry does not answer';

it.each([
  ['{ "vulnerabilities": {} }', 0, 0, /^No flaw of level high or above is known\.\n$/],
  [FLAW, 1, 2, /"lodash"/],
  [
    '{\n  "message": "405 Method Not Allowed - POST",\n  "statusCode": 405\n}',
    1,
    0,
    new RegExp(`^${LEFT_OUT}: 405 Method Not Allowed - POST\\.\\n$`),
  ],
  [
    '{\n  "error": {\n    "code": "ENOTFOUND",\n    "summary": "getaddrinfo"\n  }\n}',
    1,
    0,
    new RegExp(`^${LEFT_OUT}: getaddrinfo\\.\\n$`),
  ],
  ['', 1, 0, new RegExp(`^${LEFT_OUT}\\.\\n$`)],
])('make audit, where npm answers %j with status %i, ends with %i', async (answer, status, code, text) => {
  await box.program('npm', `printf '%s' '${answer}'; exit ${status}`);
  expect(await box.run('make', ['audit'])).toMatchObject({ code, out: expect.stringMatching(text) });
});

interface Component {
  purl: string;
  hashes?: { content: string }[];
  properties: { name: string }[];
}

it('the bill of materials has every package of the lock file, with its hash, and marks those for development', async () => {
  const { out } = await box.run('npm', ['run', '--silent', 'sbom'], { PATH: process.env.PATH ?? '' });
  const bill = JSON.parse(out);
  expect(bill).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.5' });
  const found = new Map((bill.components as Component[]).map((one) => [one.purl, one]));
  const isMarked = (purl: string) =>
    found.get(purl)?.properties.some(({ name }) => name === 'cdx:npm:package:development');
  const { packages } = JSON.parse(await readFile(`${repositoryRoot}/package-lock.json`, 'utf8')) as {
    packages: Record<
      string,
      { name?: string; version: string; integrity?: string; dev?: boolean; link?: boolean }
    >;
  };
  const locked = Object.entries(packages)
    .filter(([path, { link }]) => !link && path.includes('node_modules/'))
    .map(([path, { name, version, integrity, dev = false }]) => {
      const own = name ?? path.replace(/.*node_modules\//, '');
      return { purl: `pkg:npm/${own.replace('@', '%40')}@${version}`, integrity, dev };
    });
  expect(locked.length).toBeGreaterThan(500);
  // Binaries for other systems have no hash in a lock file that was written without them.
  const hashes = locked.map(({ purl, integrity }) => {
    const expected = integrity && Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex');
    return [purl, expected ?? found.get(purl)?.hashes?.[0]?.content] as const;
  });
  expect(hashes).toEqual(hashes.map(([purl]) => [purl, found.get(purl)?.hashes?.[0]?.content]));
  expect(locked.filter(({ purl }) => !found.has(purl))).toEqual([]);
  // A version that is in the tree twice, once shipped and once as a tool's, npm may mark by either.
  const isOnce = ({ purl }: { purl: string }) => locked.filter((one) => one.purl === purl).length === 1;
  expect(locked.filter((one) => isOnce(one) && one.dev !== isMarked(one.purl))).toEqual([]);
  expect(locked.some(({ dev }) => dev)).toBe(true);
}, 60_000);
