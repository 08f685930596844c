/** The files that Grafana reads at startup refer to each other. A wrong path causes no error, only an empty Grafana. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

const Providers = z.looseObject({
  providers: z.tuple([
    z.looseObject({
      type: z.literal('file'),
      allowUiUpdates: z.literal(false),
      options: z.strictObject({ path: z.string() }),
    }),
  ]),
});
const Compose = z.looseObject({
  services: z.looseObject({ grafana: z.looseObject({ volumes: z.array(z.string()) }) }),
});

const [provider] = Providers.parse(parse(read('provisioning/dashboards/files.yml'))).providers;

const { grafana } = Compose.parse(parse(read('../docker-compose.yml'), { merge: true })).services;

it('provisions the dashboards from the folder that the compose file mounts', () => {
  expect(grafana.volumes).toContain(`./grafana/dashboards:${provider.options.path}:ro`);
});

it('has a home dashboard that exists', () => {
  const [, home = ''] = /^default_home_dashboard_path = (.+)$/m.exec(read('grafana.ini')) ?? [];
  expect(home.startsWith(`${provider.options.path}/`)).toBe(true);
  expect(
    existsSync(new URL(`../dashboards/${home.slice(provider.options.path.length + 1)}`, import.meta.url)),
  ).toBe(true);
});

it('mounts each provisioning folder separately, because one mount over all would hide those of the image', () => {
  const folders = readdirSync(new URL('../provisioning/', import.meta.url));
  const mounted = grafana.volumes.filter((volume) => volume.includes('/provisioning'));
  expect(mounted.sort()).toEqual(
    folders.map((name) => `./grafana/provisioning/${name}:/etc/grafana/provisioning/${name}:ro`).sort(),
  );
});
