/** docs/own-service.md from start to finish: its files are written, its programs run, its targets scraped, its output compared. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import { freeRange } from '../support/free-port.ts';
import { repositoryRoot } from '../support/repository.ts';
import { buildParser, type Stack, startStack } from '../support/stack.ts';
import { follow, readSections, type Surroundings } from '../support/walkthrough.ts';

const guide = readFileSync(`${repositoryRoot}/docs/own-service.md`, 'utf8');
/** What the guide names, by the name that its first line gives it. */
const files = new Map(
  [...guide.matchAll(/^```\w+\n(?:\/\/|#) (\S+\.\w+)\n(.*?)^```$/gms)].map(([, name = '', text = '']) => [
    name,
    text,
  ]),
);

let stack: Stack;
let billing: StartedTestContainer;
let folder: string;
let surroundings: Surroundings;
/** The guide's ports, and those that are used here. */
let ports: (readonly [RegExp, string])[];

const withOwnPorts = (text: string) => ports.reduce((now, [from, to]) => now.replace(from, to), text);

beforeAll(async () => {
  const first = await freeRange(3);
  const taken = ['3000', '9101', '9102'].map((port, i) => [port, first + i] as const);
  ports = taken.map(([port, own]) => [new RegExp(`\\b${port}\\b`, 'g'), String(own)] as const);
  // Below the workspace, so that the packages are found; git ignores the name.
  folder = mkdtempSync(`${repositoryRoot}/docs/dist-own-service-`);
  for (const name of ['shop.mjs', 'shop.yaml', 'worker.mjs'])
    writeFileSync(`${folder}/${name}`, withOwnPorts(fileOf(name)));
  stack = await startStack();
  billing = await new GenericContainer(await buildParser())
    .withNetwork(stack.network)
    .withNetworkAliases('billing')
    .withCopyContentToContainer([{ content: fileOf('billing.py'), target: '/billing.py' }])
    .withEntrypoint(['python3', '/billing.py'])
    .withExposedPorts(8000)
    .withWaitStrategy(Wait.forHttp('/metrics', 8000))
    .start();
  for (const name of ['shop', 'worker', 'billing'])
    await stack.addTargets(name, withOwnPorts(fileOf(`prometheus/targets/${name}.yml`)));
  surroundings = {
    environment: { ...process.env, PATH: `${repositoryRoot}/node_modules/.bin:${process.env.PATH ?? ''}` },
    replace: [
      ...ports,
      [/http:\/\/localhost:9090/g, stack.prometheusUrl],
      [/^make query Q=/gm, `node loadgen/src/main.ts query --prometheus ${stack.prometheusUrl} `],
      [/\b(shop\.mjs|shop\.yaml|worker\.mjs)\b/g, `${folder}/$1`],
    ],
    restore: taken.map(([port, own]) => [new RegExp(`\\b${own}\\b`, 'g'), port] as const),
    programs: [
      { pattern: /^node shop\.mjs$/, port: first },
      { pattern: /^node worker\.mjs$/, port: first + 2 },
    ],
  };
});

afterAll(async () => {
  await billing?.stop();
  await stack?.stop();
  rmSync(folder, { recursive: true });
});

function fileOf(name: string): string {
  const text = files.get(name);
  if (text === undefined) throw new Error(`the guide has no file ${name}`);
  return text;
}

it('does what it says', async () => {
  const sections = readSections(guide);
  expect(sections).toHaveLength(4);
  // One after the other, for the shop of the first section is asked in the second.
  const whole = { title: '', blocks: sections.flatMap(({ blocks }) => blocks) };
  await follow(whole, surroundings);
});
