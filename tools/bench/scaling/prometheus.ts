/**
 * The resources that Prometheus needs, by number of routes and replicas. All replicas are one server that returns the exposition of an
 * instrumented application; Prometheus is real, in a container on the host's network.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { sumOf } from '../../../test/support/exposition.ts';
import { freePort } from '../../../test/support/free-port.ts';
import { queryValue } from '../../../test/support/prometheus.ts';
import { settingOf } from '../../../test/support/repository.ts';
import { portOf } from '../../../test/support/server.ts';
import { eventually } from '../../../test/support/until.ts';
import { quick, report } from '../lib/report.ts';
import { startServer } from '../lib/server-process.ts';

const SCRAPE_INTERVAL_SECONDS = 5;
const SETTLE_SECONDS = quick ? 10 : 15;
const ALL_UP_WITHIN_MS = 120_000;
const WATCH_SECONDS = quick ? 10 : 20;

/** Replicas by routes, as many as fit on a machine with 16 GB: 50 replicas with 1,002 routes would be 2.5 million series. */
const SIZES = quick ? { 9: [1, 10] } : { 9: [1, 10, 50], 150: [1, 10, 50], 1002: [1, 10] };

const folder = mkdtempSync(join(tmpdir(), 'bench-prometheus-'));
process.once('exit', () => rmSync(folder, { recursive: true }));

/** The exposition of an application with this number of routes. */
async function expositionOf(routes: string): Promise<string> {
  const server = await startServer(['package', routes]);
  const text = await (await fetch(server.metricsUrl)).text();
  await server.stop();
  return text;
}

const docker = (words: readonly string[]) => promisify(execFile)('docker', words);

/** Exits if there is no engine or no image. */
async function startPrometheus(target: string, replicas: number) {
  const interval = `${SCRAPE_INTERVAL_SECONDS}s`;
  const targets = Array.from({ length: replicas }, (_, i) => ({
    targets: [target],
    labels: { instance: String(i) },
  }));
  const configuration = {
    global: { scrape_interval: interval, scrape_timeout: interval },
    scrape_configs: [{ job_name: 'replica', static_configs: targets }],
  };
  // JSON is YAML.
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(configuration));
  const url = `http://127.0.0.1:${await freePort()}`;
  const started = await docker([
    ...['run', '--detach', '--rm', '--network', 'host', '--pull', 'never', '--user', '0:0'],
    ...['--volume', `${folder}:/etc/bench:ro`, '--tmpfs', '/data', settingOf('PROMETHEUS_IMAGE')],
    ...['--config.file=/etc/bench/prometheus.yml', '--storage.tsdb.path=/data'],
    `--web.listen-address=${new URL(url).host}`,
  ]).catch((error: Error) => {
    process.stderr.write(`left out: ${error.message}\n`);
    process.exit(0);
  });
  return { url, stop: () => docker(['kill', started.stdout.trim()]) };
}

/** A metric of Prometheus itself, summed over its series. */
const ownValue = async (url: string, metric: string) =>
  sumOf(await (await fetch(`${url}/metrics`)).text(), metric);

async function watch(url: string, replicas: number): Promise<Record<string, string>> {
  const up = 'sum(max_over_time(up[1m])) or vector(0)';
  const isUp = async () => (await queryValue(url, up)) === replicas || undefined;
  await eventually(`${replicas} targets that are up`, isUp, ALL_UP_WITHIN_MS);
  await sleep(SETTLE_SECONDS * 1000);
  const [cpu, startMs] = [await ownValue(url, 'process_cpu_seconds_total'), performance.now()];
  await sleep(WATCH_SECONDS * 1000);
  const seconds = (performance.now() - startMs) / 1000;
  const core = ((await ownValue(url, 'process_cpu_seconds_total')) - cpu) / seconds;
  const resident = await ownValue(url, 'process_resident_memory_bytes');
  return {
    series: String(await ownValue(url, 'prometheus_tsdb_head_series')),
    'Prometheus, MB': (resident / 1e6).toFixed(0),
    'Prometheus, of one core': `${(100 * core).toFixed(1)} %`,
  };
}

const kilobytes = (length: number) => (length / 1000).toFixed(1);

async function measure(routes: string, replicas: number): Promise<Record<string, string>> {
  process.stderr.write(`${routes} routes, ${replicas} replicas\n`);
  const exposition = await expositionOf(routes);
  const gzipped = gzipSync(exposition, { level: 1 });
  const headers = { 'content-type': 'text/plain; version=0.0.4', 'content-encoding': 'gzip' };
  const server = createServer((_request, response) => response.writeHead(200, headers).end(gzipped));
  const port = await portOf(server.listen(0, '127.0.0.1'));
  const prometheus = await startPrometheus(`127.0.0.1:${port}`, replicas);
  try {
    const size = { 'a scrape, kB': kilobytes(exposition.length), 'gzip, kB': kilobytes(gzipped.length) };
    return { routes, replicas: String(replicas), ...size, ...(await watch(prometheus.url, replicas)) };
  } finally {
    await prometheus.stop();
    server.close();
    server.closeAllConnections();
  }
}

const rows: Record<string, string>[] = [];
for (const [routes, counts] of Object.entries(SIZES))
  for (const replicas of counts) rows.push(await measure(routes, replicas));
report(
  'scaling-prometheus',
  rows,
  `Prometheus with an empty database, scraping every ${SCRAPE_INTERVAL_SECONDS} s, ${SETTLE_SECONDS} s after all targets were up; CPU over the following ${WATCH_SECONDS} s. The targets replay one
application's exposition, without traffic: as many series as real ones, but samples that compress better on disk.`,
);
