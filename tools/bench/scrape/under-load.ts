/**
 * What ten scrapes a second cost a server under full load: the same server, with and without a scraper, in turns.
 * The scraper asks as Prometheus does, for OpenMetrics and gzip.
 */
import { get } from 'node:http';
import { setInterval } from 'node:timers/promises';
import { describeMachine, median, report, toMarkdown } from '../lib/report.ts';
import { startServer } from '../lib/server-process.ts';
import { CONNECTIONS, load, type Throughput } from '../lib/wrk.ts';
import { subjects } from '../middleware/apps.ts';
import { type VariantName, variants } from '../middleware/variants.ts';

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 3 : 15;
const SECONDS = 1;
const WARM_UP_SECONDS = quick ? 1 : 4;
const INTERVAL_MS = 100;
const SIZE = '9';

const script = new URL('../middleware/server.ts', import.meta.url).pathname;
const names: readonly VariantName[] = ['package', 'prom-client'];
const { mix } = subjects[SIZE] as (typeof subjects)[string];

async function compare(name: VariantName): Promise<Record<string, string>> {
  const server = await startServer(script, [name, SIZE]);
  const metricsUrl = `http://127.0.0.1:${await server.ask<number>('metrics')}/metrics`;
  const quiet: Throughput[] = [];
  const scraped: Throughput[] = [];
  await load(server, mix, WARM_UP_SECONDS);
  for (let round = 0; round < ROUNDS; round++) {
    process.stderr.write(`${name}: round ${round + 1} of ${ROUNDS}\n`);
    const order = round % 2 === 0 ? [quiet, scraped] : [scraped, quiet];
    for (const runs of order) {
      const stop = runs === scraped ? startScraping(metricsUrl) : async () => 0;
      runs.push(await load(server, mix, SECONDS));
      await stop();
    }
  }
  await server.stop();
  const ratios = scraped.map((run, i) => run.perSecond / (quiet[i] as Throughput).perSecond);
  const cpu = scraped.map((run, i) => run.cpuMicros / (quiet[i] as Throughput).cpuMicros);
  return {
    server: variants[name].title,
    'requests/s': median(quiet.map((run) => run.perSecond)).toFixed(0),
    'scraped, of that': median(ratios).toFixed(3),
    'lowest to highest': `${Math.min(...ratios).toFixed(2)} - ${Math.max(...ratios).toFixed(2)}`,
    'CPU/request, scraped to not': median(cpu).toFixed(3),
  };
}

const rows: Record<string, string>[] = [];
for (const name of names) rows.push(await compare(name));
report(
  'scrape-under-load',
  `${toMarkdown(rows)}

Medians of ${ROUNDS} pairs of runs of ${SECONDS} s, wrk with ${CONNECTIONS} connections, ${1000 / INTERVAL_MS} scrapes a second in one run of each pair.
${describeMachine(['express', 'prom-client'])}. \`npm run bench:under-load --workspace tools\``,
  quick,
);

/** @returns stops, and gives the number of scrapes answered. @throws (when stopped) if one was not answered 200 */
function startScraping(url: string): () => Promise<number> {
  const stopped = new AbortController();
  const headers = { accept: 'application/openmetrics-text;version=1.0.0', 'accept-encoding': 'gzip' };
  const done = (async () => {
    let count = 0;
    try {
      for await (const _ of setInterval(INTERVAL_MS, undefined, { signal: stopped.signal })) {
        const status = await new Promise((resolve, reject) => {
          get(url, { headers }, (response) => {
            response.resume().on('end', () => resolve(response.statusCode));
          }).on('error', reject);
        });
        if (status !== 200) throw new Error(`a scrape was answered ${status}`);
        count++;
      }
    } catch (error) {
      if (!stopped.signal.aborted) throw error;
    }
    return count;
  })();
  return () => {
    stopped.abort();
    return done;
  };
}
