/** What `make audit` says of each answer that a registry has, and what is in the bill of `make sbom`. */
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const repository = fileURLToPath(new URL('../../', import.meta.url));

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'supply-'));
});
afterEach(() => rm(folder, { recursive: true }));

function supply(word: string): Promise<{ code: number; err: string }> {
  const env = {
    ...process.env,
    PATH: `${folder}:${process.env.PATH}`,
    REPORTS_FOLDER: join(folder, 'reports'),
  };
  return new Promise((resolve) => {
    execFile(`${repository}scripts/supply.sh`, [word], { env }, (error, _out, err) =>
      resolve({ code: Number(error?.code ?? 0), err }),
    );
  });
}

describe('make audit', () => {
  /** An npm that answers this, and ends with that status. */
  async function npmSays(text: string, status: number): Promise<void> {
    await writeFile(join(folder, 'answer'), text);
    await writeFile(join(folder, 'npm'), `#!/bin/sh\ncat '${folder}/answer'\nexit ${status}\n`);
    await chmod(join(folder, 'npm'), 0o755);
  }

  it('ends with 0 where nothing is known', async () => {
    await npmSays('{ "vulnerabilities": {} }', 0);
    expect(await supply('audit')).toEqual({
      code: 0,
      err: 'No flaw of level high or above is known in the dependencies.\n',
    });
  });

  it('ends with 1 where flaws are known, and shows them', async () => {
    await npmSays('{\n  "vulnerabilities": {\n    "lodash": { "severity": "high" }\n  }\n}', 1);
    const { code, err } = await supply('audit');
    expect(code).toBe(1);
    expect(err).toContain('"lodash"');
    expect(err).toContain('error: flaws of level high or above are known, see above.\n');
  });

  it.each([
    [
      '{\n  "message": "405 Method Not Allowed - POST",\n  "statusCode": 405\n}',
      '405 Method Not Allowed - POST',
    ],
    ['{\n  "error": {\n    "code": "ENOTFOUND",\n    "summary": "getaddrinfo"\n  }\n}', 'getaddrinfo'],
    ['', 'no reason given'],
  ])('says that it was left out, and why, where the registry does not answer: %j', async (answer, reason) => {
    await npmSays(answer, 1);
    expect(await supply('audit')).toEqual({
      code: 0,
      err: `Left out: the known flaws of dependencies; the registry does not answer (${reason}).\n`,
    });
  });
});

describe('make sbom', () => {
  interface Component {
    purl: string;
    hashes?: { alg: string; content: string }[];
    licenses?: unknown[];
    properties: { name: string }[];
  }

  it('names every package of the lock file in CycloneDX, with its hash, and marks those for development', async () => {
    expect(await supply('sbom')).toEqual({
      code: 0,
      err: `The bill of materials: ${join(folder, 'reports/sbom.json')}\n`,
    });
    expect(await readdir(join(folder, 'reports'))).toEqual(['sbom.json']);
    const bill = JSON.parse(await readFile(join(folder, 'reports/sbom.json'), 'utf8'));
    expect(bill).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.5' });
    const found = new Map((bill.components as Component[]).map((one) => [one.purl, one]));
    const lock = JSON.parse(await readFile(`${repository}package-lock.json`, 'utf8')) as {
      packages: Record<
        string,
        { name?: string; version: string; integrity?: string; dev?: boolean; link?: boolean }
      >;
    };
    const locked = Object.entries(lock.packages).flatMap(
      ([path, { name, version, integrity, dev, link }]) => {
        if (link || !path.includes('node_modules/')) return [];
        const own = name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
        return [
          { purl: `pkg:npm/${own.replace('@', '%40')}@${version}`, integrity, isShipped: dev !== true },
        ];
      },
    );
    expect(locked.length).toBeGreaterThan(500);
    expect(locked.filter(({ purl }) => !found.has(purl))).toEqual([]);
    // Binaries for other systems have none in a lock file that was written without them.
    for (const { purl, integrity } of locked.filter(({ integrity }) => integrity !== undefined))
      expect([purl, found.get(purl)?.hashes?.[0]?.content]).toEqual([
        purl,
        Buffer.from((integrity ?? '').replace(/^sha512-/, ''), 'base64').toString('hex'),
      ]);
    const marked = new Set(
      locked
        .map(({ purl }) => purl)
        .filter((purl) =>
          found.get(purl)?.properties.some(({ name }) => name === 'cdx:npm:package:development'),
        ),
    );
    // A version that is in the tree twice, once shipped and once as a tool's, npm may mark by either.
    const twice = locked.filter(({ purl }, at) => locked.findIndex((one) => one.purl === purl) !== at);
    const once = locked.filter(({ purl }) => !twice.some((one) => one.purl === purl));
    expect(once.filter(({ purl, isShipped }) => isShipped === marked.has(purl))).toEqual([]);
    expect(marked.has('pkg:npm/jest@30.5.2')).toBe(true);
  }, 60_000);
});
