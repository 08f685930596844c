/** docs/own-service.md from start to finish: its files are written, its programs run, its targets scraped, its output compared. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import { docker } from '../support/commands.ts';
import { freePort } from '../support/free-port.ts';
import { repositoryRoot, settingOf } from '../support/repository.ts';
import { type Stack, startStack } from '../support/stack.ts';
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
  const taken = await Promise.all(
    ['3000', '9101', '9102'].map(async (port) => [port, await freePort()] as const),
  );
  ports = taken.map(([port, own]) => [new RegExp(`\\b${port}\\b`, 'g'), String(own)] as const);
  // Below the workspace, so that the packages are found; git ignores the name.
  folder = mkdtempSync(`${repositoryRoot}/docs/dist-own-service-`);
  for (const name of ['shop.mjs', 'shop.yaml', 'worker.mjs'])
    writeFileSync(`${folder}/${name}`, withOwnPorts(fileOf(name)));
  const build = [
    '--build-arg',
    `NODE_IMAGE=${settingOf('NODE_IMAGE')}`,
    `${repositoryRoot}/test/images/openmetrics`,
  ];
  const image = 'observability-stack/openmetrics-parser';
  [stack] = await Promise.all([startStack(), docker('build', '--quiet', '--tag', image, ...build)]);
  billing = await new GenericContainer(image)
    .withNetwork(stack.network)
    .withNetworkAliases('billing')
    .withCopyContentToContainer([{ content: fileOf('billing.py'), target: '/billing.py' }])
    .withEntrypoint(['python3', '/billing.py'])
    .withExposedPorts(8000)
    .withWaitStrategy(Wait.forHttp('/metrics', 8000))
    .start();
  await stack.prometheus.copyContentToContainer(
    ['shop', 'worker', 'billing'].map((name) => ({
      content: withOwnPorts(fileOf(`prometheus/targets/${name}.yml`)),
      target: `/etc/prometheus/targets/${name}.yml`,
    })),
  );
  surroundings = {
    folder,
    environment: { ...process.env, PATH: `${repositoryRoot}/node_modules/.bin:${process.env.PATH ?? ''}` },
    replace: [
      ...ports,
      [/http:\/\/localhost:9090/g, stack.prometheusUrl],
      [/^make query Q=/gm, `node loadgen/src/main.ts query --prometheus ${stack.prometheusUrl} `],
      [/loadgen\/src/g, `${repositoryRoot}/loadgen/src`],
    ],
    restore: taken.map(([port, own]) => [new RegExp(`\\b${own}\\b`, 'g'), port] as const),
    programs: [
      { pattern: /^node shop\.mjs$/, port: taken[0]?.[1] ?? 0 },
      { pattern: /^node worker\.mjs$/, port: taken[2]?.[1] ?? 0 },
    ],
  };
}, 240_000);

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
}, 180_000);
