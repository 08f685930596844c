/** A Prometheus of its own, in a container on the host's network, that scrapes targets given by their ports. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../../test/support/free-port.ts';

const READY_WITHIN_MS = 60_000;

export const SCRAPE_INTERVAL_SECONDS = 5;

export interface Prometheus {
  /** The values of its own exposition, by the name of the family; of several series the sum. */
  own(family: string): Promise<number>;
  /** The only value that `query` has. */
  query(query: string): Promise<number>;
  stop(): Promise<void>;
}

const run = promisify(execFile);

/** The image that the stack uses: of the environment, or what .env says. */
function image(): string {
  const settings = readFileSync(new URL('../../../.env', import.meta.url), 'utf8');
  return process.env.PROMETHEUS_IMAGE ?? /^PROMETHEUS_IMAGE=(\S+)$/m.exec(settings)?.[1] ?? '';
}

/** @throws when there is no engine, or the image is not here */
export async function startPrometheus(ports: readonly number[]): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-prometheus-'));
  const targets = ports.map((port) => `'127.0.0.1:${port}'`).join(', ');
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `global: { scrape_interval: ${SCRAPE_INTERVAL_SECONDS}s, scrape_timeout: ${SCRAPE_INTERVAL_SECONDS}s }
scrape_configs: [{ job_name: replica, static_configs: [{ targets: [${targets}] }] }]
`,
    { mode: 0o644 },
  );
  const port = await freePort();
  const words = ['run', '--detach', '--rm', '--network', 'host', '--pull', 'never', '--user', '0:0'];
  const mounts = ['--volume', `${folder}:/etc/bench:ro`, '--tmpfs', '/data'];
  const flags = ['--config.file=/etc/bench/prometheus.yml', '--storage.tsdb.path=/data'];
  const address = `127.0.0.1:${port}`;
  const { stdout } = await run('docker', [
    ...words,
    ...mounts,
    image(),
    ...flags,
    `--web.listen-address=${address}`,
  ]);
  const id = stdout.trim();
  const stop = async () => {
    await run('docker', ['kill', id]);
    rmSync(folder, { recursive: true });
  };
  const own = async (family: string) => {
    const text = await (await fetch(`http://${address}/metrics`)).text();
    const values = [...text.matchAll(new RegExp(`^${family}(?:\\{.*\\})? (\\S+)$`, 'gm'))];
    return values.reduce((sum, [, value]) => sum + Number(value), 0);
  };
  const query = async (expression: string) => {
    const url = `http://${address}/api/v1/query?query=${encodeURIComponent(expression)}`;
    const { data } = (await (await fetch(url)).json()) as { data: { result: { value: [number, string] }[] } };
    return Number(data.result[0]?.value[1] ?? Number.NaN);
  };
  await isReady(address).catch(async (error: Error) => {
    await stop();
    throw error;
  });
  return { own, query, stop };
}

async function isReady(address: string): Promise<void> {
  const endMs = performance.now() + READY_WITHIN_MS;
  while (performance.now() < endMs) {
    const response = await fetch(`http://${address}/-/ready`).catch(() => undefined);
    if (response?.ok) return;
    await sleep(200);
  }
  throw new Error(`Prometheus was not ready within ${READY_WITHIN_MS / 1000} s`);
}
