/**
 * Publishes the release of a tag: `npm run release -- packages|images|github TAG [--dry-run]`. A dry run builds the images for this
 * machine's architecture, runs npm publish without the upload, and prints what would be published. It changes nothing.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { read, repositoryRoot as root, settingOf } from '../../test/support/repository.ts';
import { address, publicPackages } from '../generators/address.ts';
import { type Plan, planRelease } from './plan.ts';

const parts = { packages, images, github };
const { values, positionals } = parseArgs({
  options: { 'dry-run': { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [part = '', tag = '', ...more] = positionals;
const isDry = values['dry-run'];

if (!(part in parts) || more.length > 0)
  fail(2, 'usage: npm run release -- packages|images|github TAG [--dry-run]');
try {
  if (!isDry && JSON.stringify([address, publicPackages]).includes('/OWNER/'))
    throw new Error(
      'package.json: expected the address of this repository, then npm run generate, got OWNER',
    );
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const changelog = read('CHANGELOG.md');
  parts[part as keyof typeof parts](
    planRelease(tag, { address, version, packages: publicPackages, changelog }),
  );
} catch (error) {
  fail(1, error instanceof Error ? error.message : String(error));
}

function packages({ version, distTag, packages: published }: Plan) {
  for (const { name, folder } of published) {
    // An incomplete release can be run again.
    if (!isDry && isPublished(`${name}@${version}`)) {
      process.stdout.write(`${name}@${version} is on npm already\n`);
      continue;
    }
    // Only a workflow can prove the provenance of a package.
    const mode = isDry ? '--dry-run' : `--provenance=${process.env.GITHUB_ACTIONS === 'true'}`;
    // `npm run release` has already built them; building them again here would remove files that tests may be reading.
    const flags = ['--ignore-scripts', '--workspace', folder, '--access', 'public', '--tag', distTag, mode];
    run('npm', ['publish', ...flags]);
    process.stdout.write(`${isDry ? 'would publish' : 'published'} ${name}@${version} as ${distTag}\n`);
  }
}

function isPublished(spec: string): boolean {
  return spawnSync('npm', ['view', spec, 'version'], { cwd: root, encoding: 'utf8' }).stdout.trim() !== '';
}

function images({ version, images: built }: Plan) {
  const folder = mkdtempSync(join(tmpdir(), 'release-'));
  const certificates = process.env.BUILD_CA_FILE ?? process.env.NODE_EXTRA_CA_CERTS;
  for (const { target, name, tags } of built) {
    const names = tags.map((one) => `${name}:${one}`);
    const metadata = join(folder, `${target}.json`);
    const publish = '--platform linux/amd64,linux/arm64 --sbom=true --provenance=mode=max --push';
    const labels = [`source=${address}`, `version=${version}`, 'licenses=Apache-2.0'];
    const flags = [
      `--progress plain --target ${target} --build-arg NODE_IMAGE=${settingOf('NODE_IMAGE')}`,
      ...labels.map((label) => `--label org.opencontainers.image.${label}`),
      ...names.map((one) => `--tag ${one}`),
      isDry ? '--output type=cacheonly' : publish,
    ];
    // Paths may have spaces.
    const files = ['--metadata-file', metadata];
    if (certificates) files.push('--secret', `id=ca,src=${certificates}`);
    run('docker', ['buildx', 'build', ...flags.join(' ').split(' '), ...files, '.']);
    if (!isDry) {
      const { 'containerimage.digest': digest } = JSON.parse(readFileSync(metadata, 'utf8'));
      run('cosign', ['sign', '--yes', `${name}@${digest}`]);
    }
    process.stdout.write(names.map((one) => `${isDry ? 'would push' : 'pushed'} ${one}\n`).join(''));
  }
  rmSync(folder, { recursive: true });
}

function github({ isPrerelease, notes }: Plan) {
  const flags = ['--verify-tag', '--title', tag, '--notes-file', '-'];
  if (isPrerelease) flags.push('--prerelease');
  if (isDry) process.stdout.write(`${notes}\n`);
  else run('gh', ['release', 'create', tag, ...flags], notes);
}

function run(program: string, words: string[], input = '') {
  process.stderr.write(`$ ${program} ${words.join(' ')}\n`);
  const { status, error } = spawnSync(program, words, { cwd: root, input, stdio: ['pipe', 2, 2] });
  if (status !== 0)
    throw new Error(`${program} ${words[0]}: ${error?.message ?? `failed (status ${status})`}`);
}

function fail(status: number, message: string): never {
  process.stderr.write(`${message.replace(/^(?!usage)/gm, 'error: ')}\n`);
  process.exit(status);
}
