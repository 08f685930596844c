/** docs/own-service.md from start to finish: its files are written, its programs run, its targets scraped, its output compared. */
import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import { read } from '../support/repository.ts';
import { buildParser, type Stack, startStack } from '../support/stack.ts';
import { environment, guideFolder, ownPorts } from '../support/tutorial.ts';
import { PATIENCE_MS } from '../support/until.ts';
import { follow, readSections, replaced, type Surroundings } from '../support/walkthrough.ts';

const guide = read('docs/own-service.md');
/** The files of the guide, by the name in their first line. */
const files: Readonly<Record<string, string>> = Object.fromEntries(
  [...guide.matchAll(/^```\w+\n(?:\/\/|#) (\S+\.\w+)\n(.*?)^```$/gms)].map(([, name, text]) => [name, text]),
);
const fileOf = (name: string) => files[name] ?? `the guide has no file ${name}`;

let stack: Stack;
let billing: StartedTestContainer;
let folder: string;
let surroundings: Surroundings;

beforeAll(async () => {
  const { first, replace, restore } = await ownPorts([4000, 9101, 9102]);
  folder = guideFolder('own-service');
  for (const name of ['shop.mjs', 'shop.yaml', 'worker.mjs'])
    writeFileSync(`${folder}/${name}`, replaced(fileOf(name), replace));
  stack = await startStack();
  billing = await new GenericContainer(await buildParser())
    .withNetwork(stack.network)
    .withNetworkAliases('billing')
    .withCopyContentToContainer([{ content: fileOf('billing.py'), target: '/billing.py' }])
    .withEntrypoint(['python3', '/billing.py'])
    .withExposedPorts(8000)
    .withWaitStrategy(Wait.forHttp('/metrics', 8000))
    .withStartupTimeout(PATIENCE_MS)
    .start();
  for (const name of ['shop', 'worker', 'billing'])
    await stack.addTargets(name, replaced(fileOf(`prometheus/targets/${name}.yml`), replace));
  surroundings = {
    environment,
    replace: [
      ...replace,
      [/http:\/\/localhost:9090/g, stack.prometheusUrl],
      [/^make query Q=/gm, `node loadgen/src/main.ts query --prometheus ${stack.prometheusUrl} `],
      [/\b(shop\.mjs|shop\.yaml|worker\.mjs)\b/g, `${folder}/$1`],
    ],
    restore,
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

it('works as described', async () => {
  const sections = readSections(guide);
  expect(sections).toHaveLength(4);
  // In one walkthrough, because the second section queries the shop of the first.
  const whole = { title: '', blocks: sections.flatMap(({ blocks }) => blocks) };
  await follow(whole, surroundings);
});
