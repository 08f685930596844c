/** Runs guides in a test: their programs in a separate folder, on free ports. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { freeRange } from './free-port.ts';
import { namesIn, read, repositoryRoot as root } from './repository.ts';
import { type Replacement, readSections, replaced, type Section, type Surroundings } from './walkthrough.ts';

/** The replacements of a guide's ports by free ones, and back. */
export async function ownPorts(ports: readonly number[]) {
  const first = await freeRange(ports.length);
  const pairs = ports.map((port, i) => [port, first + i] as const);
  const word = (port: number) => new RegExp(`\\b${port}\\b`, 'g');
  const replace = pairs.map(([port, own]): Replacement => [word(port), String(own)]);
  const restore = pairs.map(([port, own]): Replacement => [word(own), String(port)]);
  return { first, replace, restore };
}

/** A folder below the workspace, so that its packages are found; git ignores the name. */
export const guideFolder = (name: string) => mkdtempSync(`${root}docs/dist-${name}-`);

export const environment: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${root}node_modules/.bin:${process.env.PATH ?? ''}`,
  NO_COLOR: '1',
};

export const tutorialSections = readSections(read('docs/tutorial.md'));

/** Whether a section queries Prometheus. */
export const asksPrometheus = ({ blocks }: Section): boolean =>
  blocks.some(({ language, body }) => language === 'sh' && body.includes('scripts/tutorial.sh'));

export interface TutorialCopy {
  folder: string;
  prometheusPort: number;
  surroundings: Surroundings;
  remove(): void;
}

export async function copyTutorial(): Promise<TutorialCopy> {
  const folder = guideFolder('tutorial');
  cpSync(`${root}docs/tutorial`, folder, { recursive: true });
  const { first: api, replace, restore } = await ownPorts([5001, 8000, 9090]);
  const prometheusPort = api + 2;
  const ports = replace.slice(0, 2);
  for (const name of namesIn('docs/tutorial'))
    writeFileSync(`${folder}/${name}`, replaced(readFileSync(`${folder}/${name}`, 'utf8'), ports));
  const surroundings: Surroundings = {
    environment,
    replace: [
      ...ports,
      [/\bdocs\/tutorial\b/g, relative(root, folder)],
      [/(?<= --prometheus http:\/\/localhost:)9090/g, String(prometheusPort)],
      [/main\.ts run/g, `main.ts run --target http://localhost:${api}`],
      [/main\.ts query/g, `main.ts query --prometheus http://localhost:${prometheusPort}`],
      // The test has already started it.
      [/^scripts\/tutorial\.sh$/g, ':'],
    ],
    restore: restore.slice(1, 2),
    programs: [{ pattern: /^node docs\/tutorial\/\S+\.ts$/, port: api }],
  };
  return { folder, prometheusPort, surroundings, remove: () => rmSync(folder, { recursive: true }) };
}
