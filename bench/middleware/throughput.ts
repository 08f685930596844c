/**
 * Requests per second of a saturated server, and its CPU time for each request, with every way of instrumenting it. Three
 * servers run at a time: bare Express, the package, and one peer. They take turns of a second in rotating order and are
 * compared within a round, so that a slow moment of the machine touches all of them. No more than three, and each as often
 * as the others: a server that has rested for longer has a smaller heap and colder code, which costs it some per cent.
 */
import { describeMachine, median, report, toMarkdown } from '../lib/report.ts';
import { type ServerProcess, startServer } from '../lib/server-process.ts';
import { CONNECTIONS, load, objection, type Throughput } from '../lib/wrk.ts';
import { subjects } from './apps.ts';
import { type VariantName, variantNames, variantOf, variants } from './variants.ts';

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 3 : 9;
const SECONDS = 1;
const WARM_UP_SECONDS = quick ? 1 : 3;
const peers: readonly VariantName[] = quick
  ? ['prom-client', 'opentelemetry']
  : variantNames.filter((name) => name !== 'bare' && name !== 'package');
const sizes = quick ? ['9'] : ['9', '150'];
/** Of all runs, the share that may be invalid before the machine is said to be too busy. */
const INVALID_AT_MOST = 0.5;

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

/** A round: what each of the three did. */
interface Round {
  readonly bare: Throughput;
  readonly package: Throughput;
  readonly peer: Throughput;
}

async function compare(peer: VariantName, size: string): Promise<Round[]> {
  const { mix } = subjects[size] as (typeof subjects)[string];
  const names = { bare: 'bare', package: 'package', peer } as const;
  const roles = ['bare', 'package', 'peer'] as const;
  const servers: ServerProcess[] = [];
  for (const role of roles) servers.push(await start(names[role], size));
  for (const server of servers) await load(server, mix, WARM_UP_SECONDS);
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const order = roles.map((_, i) => (i + round) % roles.length);
    // Nobody always follows the same other.
    if (round % 2 === 1) order.reverse();
    const entries: [string, Throughput][] = [];
    for (const i of order)
      entries.push([roles[i] as string, await validLoad(servers[i] as ServerProcess, mix)]);
    rounds.push(Object.fromEntries(entries) as unknown as Round);
  }
  for (const server of servers) await server.stop();
  return rounds;
}

function start(name: VariantName, size: string): Promise<ServerProcess> {
  return startServer(
    new URL('./server.ts', import.meta.url).pathname,
    [name, size],
    variantOf(name).nodeOptions,
  );
}

function toRow(size: string, name: VariantName, own: readonly Throughput[], rounds: readonly Round[]) {
  const speeds = own.map(({ perSecond }, i) => perSecond / (rounds[i] as Round).bare.perSecond);
  const cpus = own.map(({ cpuMicros }, i) => (rounds[i] as Round).bare.cpuMicros / cpuMicros);
  const behind = own.filter(({ perSecond }, i) => perSecond < (rounds[i] as Round).package.perSecond);
  const isPeer = name !== 'bare' && name !== 'package';
  return {
    variant: variants[name].title,
    routes: size,
    'requests/s': median(own.map(({ perSecond }) => perSecond)).toFixed(0),
    'of bare': median(speeds).toFixed(3),
    'lowest to highest': `${Math.min(...speeds).toFixed(2)} - ${Math.max(...speeds).toFixed(2)}`,
    'server CPU, µs/request': median(own.map(({ cpuMicros }) => cpuMicros)).toFixed(1),
    'of bare by CPU': median(cpus).toFixed(3),
    'rounds behind the package': isPeer ? `${behind.length} of ${own.length}` : '',
  };
}

async function measure(size: string): Promise<Record<string, string>[]> {
  const byPeer = new Map<VariantName, Round[]>();
  for (const peer of peers) {
    process.stderr.write(`${size} routes: bare Express, the package and ${variants[peer].title}\n`);
    byPeer.set(peer, await compare(peer, size));
  }
  const all = [...byPeer.values()].flat();
  return [
    toRow(
      size,
      'bare',
      all.map(({ bare }) => bare),
      all,
    ),
    toRow(
      size,
      'package',
      all.map((round) => round.package),
      all,
    ),
    ...[...byPeer].map(([name, rounds]) =>
      toRow(
        size,
        name,
        rounds.map(({ peer }) => peer),
        rounds,
      ),
    ),
  ];
}

const rows: Record<string, string>[] = [];
for (const size of sizes) rows.push(...(await measure(size)));
const packages = Object.values(variants).flatMap((variant) => [...variant.packages]);
report(
  'middleware-throughput',
  `${toMarkdown(rows)}

wrk with ${CONNECTIONS} connections on one core, the server saturated on the other. Bare Express, the package and one peer take turns of ${SECONDS} s, ${ROUNDS} rounds
for each peer, and are compared within a round; quoted are medians. ${refused.length} of ${runs} runs did not count: in those the server left more than 5 %
of its core idle, the client used more than 90 % of its own, or other programs more than 15 % of the server's. ${describeMachine(packages)}. \`npm run bench:throughput --workspace bench\``,
  quick,
);
