/**
 * Requests per second of a saturated server, and its CPU time for each request, with every way of instrumenting it, relative
 * to bare Express. All servers run at once and idle until it is their turn. In each round every variant runs between two
 * runs of bare Express, and is compared with the mean of these two: what slows the machine for longer than a second touches
 * both. A run in which the server was not the limit is not counted.
 */
import { describeMachine, median, report, toMarkdown } from '../lib/report.ts';
import { type ServerProcess, startServer } from '../lib/server-process.ts';
import { CONNECTIONS, load, objection, type Throughput } from '../lib/wrk.ts';
import { subjects } from './apps.ts';
import { type VariantName, variantNames, variants } from './variants.ts';

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 3 : 11;
const SECONDS = 1;
const WARM_UP_SECONDS = quick ? 1 : 4;
/** Of all runs, the share that may be invalid before the machine is said to be too busy. */
const INVALID_AT_MOST = 0.5;

/** A variant beside bare Express of the same moments. */
interface Comparison {
  readonly run: Throughput;
  readonly bySpeed: number;
  readonly byCpu: number;
}

let runs = 0;
const refused: string[] = [];

/** A run that counts. @throws when too few do */
async function validLoad(server: ServerProcess, mix: readonly string[]): Promise<Throughput> {
  for (;;) {
    const run = await load(server, mix, SECONDS);
    runs++;
    const why = objection(run);
    if (why === undefined) return run;
    refused.push(why);
    if (refused.length > 10 && refused.length > runs * INVALID_AT_MOST) {
      throw new Error(
        `no figures: ${refused.length} of ${runs} runs say nothing of the server; the last because ${why}`,
      );
    }
  }
}

async function compare(size: string): Promise<Record<string, string>[]> {
  const { mix } = subjects[size] as (typeof subjects)[string];
  const script = new URL('./server.ts', import.meta.url).pathname;
  const servers = new Map<VariantName, ServerProcess>();
  for (const name of variantNames) {
    const { nodeOptions = [] } = variants[name] as { nodeOptions?: readonly string[] };
    servers.set(name, await startServer(script, [name, size], nodeOptions));
  }
  const run = (name: VariantName) => validLoad(servers.get(name) as ServerProcess, mix);
  process.stderr.write(`${size} routes: warming up\n`);
  for (const server of servers.values()) await load(server, mix, WARM_UP_SECONDS);
  const others = variantNames.filter((name) => name !== 'bare');
  const measured = new Map<VariantName, Comparison[]>(others.map((name) => [name, []]));
  const bare: Throughput[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    process.stderr.write(`${size} routes: round ${round + 1} of ${ROUNDS}\n`);
    let before = await run('bare');
    for (let i = 0; i < others.length; i++) {
      const name = others[(i + round) % others.length] as VariantName;
      const own = await run(name);
      const after = await run('bare');
      bare.push(before);
      measured.get(name)?.push({
        run: own,
        bySpeed: (2 * own.perSecond) / (before.perSecond + after.perSecond),
        byCpu: (before.cpuMicros + after.cpuMicros) / (2 * own.cpuMicros),
      });
      before = after;
    }
  }
  for (const server of servers.values()) await server.stop();
  return toRows(size, bare, measured);
}

function toRows(
  size: string,
  bare: readonly Throughput[],
  measured: ReadonlyMap<VariantName, readonly Comparison[]>,
): Record<string, string>[] {
  const ours = measured.get('package') ?? [];
  const first = { routes: size, variant: variants.bare.title, ...absolute(bare), 'of bare': '1', spread: '' };
  const rest = [...measured].map(([name, comparisons]) => {
    const speeds = comparisons.map(({ bySpeed }) => bySpeed);
    const behind = comparisons.filter(({ bySpeed }, round) => bySpeed < (ours[round]?.bySpeed ?? Number.NaN));
    return {
      routes: size,
      variant: variants[name].title,
      ...absolute(comparisons.map(({ run }) => run)),
      'of bare': median(speeds).toFixed(3),
      spread: `${Math.min(...speeds).toFixed(2)} - ${Math.max(...speeds).toFixed(2)}`,
      'of bare by CPU': median(comparisons.map(({ byCpu }) => byCpu)).toFixed(3),
      'rounds behind the package': name === 'package' ? '' : `${behind.length} of ${ROUNDS}`,
    };
  });
  return [{ ...first, 'of bare by CPU': '1', 'rounds behind the package': '' }, ...rest];
}

const absolute = (all: readonly Throughput[]) => ({
  'requests/s': median(all.map(({ perSecond }) => perSecond)).toFixed(0),
  'server CPU, µs/request': median(all.map(({ cpuMicros }) => cpuMicros)).toFixed(1),
});

const rows: Record<string, string>[] = [];
for (const size of Object.keys(subjects)) rows.push(...(await compare(size)));
const packages = Object.values(variants).flatMap((variant) => [...variant.packages]);
report(
  'middleware-throughput',
  `${toMarkdown(rows)}

wrk with ${CONNECTIONS} connections on one core, the server saturated on the other. Medians of ${ROUNDS} rounds; in each, every variant runs for ${SECONDS} s between
two such runs of bare Express and is compared with their mean. ${refused.length} of ${runs} runs did not count because the server used less than 95 % of its
core or the client more than 90 %. ${describeMachine(packages)}. \`npm run bench:throughput --workspace bench\``,
  quick,
);
