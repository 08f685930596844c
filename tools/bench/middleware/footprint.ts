/**
 * What each way of instrumenting costs beside the time of a request: start, memory after the same traffic, and a scrape.
 * The traffic is a fixed number of requests, so that every variant has seen the same.
 */
import { get, type IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import { Pool } from 'undici';
import { describeMachine, median, report, toMarkdown } from '../lib/report.ts';
import { type ServerProcess, startServer } from '../lib/server-process.ts';
import { subjects } from './apps.ts';
import { type VariantName, variantNames, variantOf, variants } from './variants.ts';

const quick = process.argv.includes('--quick');
const STARTS = quick ? 3 : 7;
const SCRAPES = quick ? 20 : 100;
const REQUESTS = quick ? 6_000 : 30_000;
const CONNECTIONS = 16;

const script = new URL('./server.ts', import.meta.url).pathname;

function start(name: VariantName, size: string): Promise<ServerProcess> {
  return startServer(script, [name, size], ['--expose-gc', ...(variantOf(name).nodeOptions ?? [])]);
}

async function send(url: string, mix: readonly string[]): Promise<void> {
  const pool = new Pool(url, { connections: CONNECTIONS });
  let sent = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (sent < REQUESTS) {
        const [method = '', path = ''] = mix[sent++ % mix.length]?.split(' ') ?? [];
        const { body } = await pool.request({ method: method as 'GET', path });
        await body.dump();
      }
    }),
  );
  await pool.close();
}

interface Scrape {
  readonly body: Buffer;
  readonly isGzip: boolean;
  readonly ms: number;
}

/** Asks as Prometheus does, for a compressed answer. */
function scrape(url: string): Promise<Scrape> {
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    get(url, { headers: { 'accept-encoding': 'gzip' } }, async (response: IncomingMessage) => {
      const body = Buffer.concat(await response.toArray());
      const isGzip = response.headers['content-encoding'] === 'gzip';
      resolve({ body, isGzip, ms: performance.now() - startMs });
    }).on('error', reject);
  });
}

/** Series, bytes and time of the exposition on `port`. */
async function scrapesOf(port: number): Promise<Record<string, string>> {
  const url = `http://127.0.0.1:${port}/metrics`;
  const text = await (await fetch(url, { headers: { 'accept-encoding': 'identity' } })).text();
  const scrapes: Scrape[] = [];
  for (let i = 0; i < SCRAPES; i++) scrapes.push(await scrape(url));
  const [first] = scrapes as [Scrape];
  const compressed = first.isGzip ? first.body.length : gzipSync(text).length;
  return {
    series: String(text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length),
    'scrape, kB': (text.length / 1000).toFixed(0),
    'gzip, kB': first.isGzip ? (compressed / 1000).toFixed(1) : `(${(compressed / 1000).toFixed(1)})`,
    'scrape, ms': median(scrapes.map(({ ms }) => ms)).toFixed(2),
  };
}

async function measure(name: VariantName, size: string, startsMs: readonly number[]) {
  const { mix } = subjects[size] as (typeof subjects)[string];
  const server = await start(name, size);
  await send(server.url, mix);
  const { rss, heapUsed } = await server.ask<{ rss: number; heapUsed: number }>('memory');
  const scrapes = name === 'bare' ? {} : await scrapesOf(await server.ask<number>('metrics'));
  await server.stop();
  return {
    variant: variants[name].title,
    routes: size,
    'start, ms': median(startsMs).toFixed(0),
    'heap, MB': (heapUsed / 1e6).toFixed(1),
    'resident, MB': (rss / 1e6).toFixed(0),
    series: '',
    'scrape, kB': '',
    'gzip, kB': '',
    'scrape, ms': '',
    ...scrapes,
  };
}

const rows: Record<string, string>[] = [];
for (const size of Object.keys(subjects)) {
  const startsMs = new Map<VariantName, number[]>(variantNames.map((name) => [name, []]));
  for (let round = 0; round < STARTS; round++) {
    process.stderr.write(`${size} routes: start ${round + 1} of ${STARTS}\n`);
    for (const name of variantNames) {
      const beganMs = performance.now();
      const server = await start(name, size);
      startsMs.get(name)?.push(performance.now() - beganMs);
      await server.stop();
    }
  }
  for (const name of variantNames) rows.push(await measure(name, size, startsMs.get(name) ?? []));
}
const packages = Object.values(variants).flatMap((variant) => [...variant.packages]);
report(
  'middleware-footprint',
  `${toMarkdown(rows)}

Start: from the start of Node to listening, median of ${STARTS}. Memory after ${REQUESTS.toLocaleString('en')} requests and a garbage collection. Scrape: median time of ${SCRAPES}
that accept gzip, from asking to the last byte; sizes in brackets are what gzip would make of an answer that came without.
The package has the series of every route from the start, the others those that were asked for.
${describeMachine(packages)}. \`npm run bench:footprint --workspace tools\``,
  quick,
);
