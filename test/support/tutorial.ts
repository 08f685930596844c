/** docs/tutorial.md in a test: a copy of its programs, with ports of its own. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { freeRange } from './free-port.ts';
import { repositoryRoot as root } from './repository.ts';
import { readSections, type Section, type Surroundings } from './walkthrough.ts';

export const tutorialSections = readSections(readFileSync(`${root}docs/tutorial.md`, 'utf8'));

/** Whether a section asks Prometheus. */
export const asksPrometheus = ({ blocks }: Section): boolean =>
  blocks.some(({ language, body }) => language === 'sh' && body.includes('make tutorial'));

export interface TutorialCopy {
  folder: string;
  prometheusPort: number;
  surroundings: Surroundings;
  remove(): void;
}

export async function copyTutorial(): Promise<TutorialCopy> {
  // Below the workspace, so that its packages are found; git ignores the name.
  const folder = mkdtempSync(`${root}docs/dist-tutorial-`);
  cpSync(`${root}docs/tutorial`, folder, { recursive: true });
  const api = await freeRange(3);
  const [metrics, prometheusPort] = [api + 1, api + 2];
  const ports = [
    [/\b5001\b/g, String(api)],
    [/\b8000\b/g, String(metrics)],
  ] as const;
  for (const name of readdirSync(folder)) {
    const text = readFileSync(`${folder}/${name}`, 'utf8');
    writeFileSync(
      `${folder}/${name}`,
      ports.reduce((now, [from, to]) => now.replace(from, to), text),
    );
  }
  const surroundings: Surroundings = {
    environment: {
      ...process.env,
      PATH: `${root}node_modules/.bin:${process.env.PATH ?? ''}`,
      NO_COLOR: '1',
    },
    replace: [
      ...ports,
      [/\bdocs\/tutorial\b/g, relative(root, folder)],
      [/(?<= --prometheus http:\/\/localhost:)9090/g, String(prometheusPort)],
      [/main\.ts run/g, `main.ts run --target http://localhost:${api}`],
      [/main\.ts query/g, `main.ts query --prometheus http://localhost:${prometheusPort}`],
      // The test has started it already.
      [/^make tutorial$/g, ':'],
    ],
    restore: [[new RegExp(`\\b${metrics}\\b`, 'g'), '8000']],
    programs: [{ pattern: /^node docs\/tutorial\/\S+\.ts$/, port: api }],
  };
  return { folder, prometheusPort, surroundings, remove: () => rmSync(folder, { recursive: true }) };
}
