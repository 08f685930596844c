/**
 * Requests per second of a saturated server, and its CPU time for each request, with every way of instrumenting it. Three
 * servers run at a time: bare Express, the package, and one peer. For requests per second they take turns of a second in
 * rotating order; for the CPU time they are loaded at once and share the core. They are compared within a round, and each
 * round starts them anew: two processes of the same code differ by some per cent for as long as they live, by where the
 * compiler and the memory have put things.
 */
import { describeMachine, median, report, toMarkdown } from '../lib/report.ts';
import { type ServerProcess, startServer } from '../lib/server-process.ts';
import { CONNECTIONS, type Conditions, load, loadTogether, objection } from '../lib/wrk.ts';
import { subjects } from './apps.ts';
import { type VariantName, variantNames, variantOf, variants } from './variants.ts';

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 2 : 3;
const TURNS = 2;
const SECONDS = 1;
const WARM_UP_SECONDS = quick ? 1 : 3;
const TOGETHER_SECONDS = quick ? 1 : 3;
const peers: readonly VariantName[] = quick
  ? ['prom-client', 'opentelemetry']
  : variantNames.filter((name) => name !== 'bare' && name !== 'package');
const sizes = quick ? ['9'] : ['9', '150'];
/**
 * Stands for what a real application has imported beside Express. Without it the bare server would be compared as it is with no
 * import at all, and whatever is imported first, a client library or anything else, costs it 3 to 4 % of its CPU time (bench/README.md).
 */
const ANOTHER_IMPORT = ['--import', 'zod'];
/** Of all runs, the share that may be invalid before the machine is said to be too busy. */
const INVALID_AT_MOST = 0.5;

let runs = 0;
const refused: string[] = [];

/** A run that counts. @throws when too few do */
async function valid<T extends Conditions>(measure: () => Promise<T>): Promise<T> {
  for (;;) {
    const run = await measure();
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

/** What one of the three did in a round. */
interface Speed {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

const ROLES = ['bare', 'package', 'peer'] as const;
type Round = Readonly<Record<(typeof ROLES)[number], Speed>>;

async function compare(peer: VariantName, size: string): Promise<Round[]> {
  const names = { bare: 'bare', package: 'package', peer } as const;
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const servers: ServerProcess[] = [];
    for (const role of ROLES) servers.push(await start(names[role], size));
    rounds.push(await takeTurns(servers, (subjects[size] as (typeof subjects)[string]).mix, round));
    for (const server of servers) await server.stop();
  }
  return rounds;
}

async function takeTurns(
  servers: readonly ServerProcess[],
  mix: readonly string[],
  round: number,
): Promise<Round> {
  await loadTogether(servers, mix, WARM_UP_SECONDS);
  const together = await valid(() => loadTogether(servers, mix, TOGETHER_SECONDS));
  const sums = ROLES.map(() => 0);
  for (let turn = 0; turn < TURNS; turn++) {
    const order = ROLES.map((_, i) => (i + round) % ROLES.length);
    // Nobody always follows the same other.
    if (turn % 2 === 1) order.reverse();
    for (const i of order) {
      const { perSecond } = await valid(() => load(servers[i] as ServerProcess, mix, SECONDS));
      sums[i] = (sums[i] as number) + perSecond;
    }
  }
  const speeds = ROLES.map((role, i) => [
    role,
    { perSecond: (sums[i] as number) / TURNS, cpuMicros: together.runs[i]?.cpuMicros ?? Number.NaN },
  ]);
  return Object.fromEntries(speeds) as Round;
}

function start(name: VariantName, size: string): Promise<ServerProcess> {
  return startServer(
    new URL('./server.ts', import.meta.url).pathname,
    [name, size],
    [...ANOTHER_IMPORT, ...(variantOf(name).nodeOptions ?? [])],
  );
}

function toRow(size: string, name: VariantName, own: readonly Speed[], rounds: readonly Round[]) {
  const speeds = own.map(({ perSecond }, i) => perSecond / (rounds[i] as Round).bare.perSecond);
  const cpus = own.map(({ cpuMicros }, i) => (rounds[i] as Round).bare.cpuMicros / cpuMicros);
  const dearer = own.filter(({ cpuMicros }, i) => cpuMicros > (rounds[i] as Round).package.cpuMicros);
  const isPeer = name !== 'bare' && name !== 'package';
  return {
    variant: variants[name].title,
    routes: size,
    'requests/s': median(own.map(({ perSecond }) => perSecond)).toFixed(0),
    'of bare': median(speeds).toFixed(3),
    'server CPU, µs/request': median(own.map(({ cpuMicros }) => cpuMicros)).toFixed(1),
    'of bare by CPU': median(cpus).toFixed(3),
    'lowest to highest': `${Math.min(...cpus).toFixed(2)} - ${Math.max(...cpus).toFixed(2)}`,
    'dearer than the package': isPeer ? `${dearer.length} of ${own.length}` : '',
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

wrk with ${CONNECTIONS} connections on one core, the server saturated on the other. Bare Express, the package and one peer are started anew in each of
${ROUNDS} rounds for each peer and compared within a round; quoted are medians. All have imported zod, too. Requests per second are of ${TURNS} turns of ${SECONDS} s each, CPU times of
${TOGETHER_SECONDS} s in which the three share the core. ${refused.length} of ${runs} runs did not count: in those the server left more than 5 %
of its core idle, the client used more than 90 % of its own, or other programs more than 15 % of the server's. ${describeMachine(packages)}. \`npm run bench:throughput --workspace bench\``,
  quick,
);
