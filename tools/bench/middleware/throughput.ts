/**
 * Requests per second of a saturated server, and its CPU time for each request, with every way of instrumenting it. A round
 * has three servers, made anew: bare Express, the package, and one peer. For requests per second they take turns of a second
 * in rotating order, and are compared within a cycle of turns. For the CPU time two at a time are loaded at once and share
 * the core, so that whatever slows it down meets both. Two processes of the same code differ by some per cent for as long as
 * they live, by where the compiler and the memory have put things: hence the rounds.
 */
import { describeMachine, median, report, toMarkdown } from '../lib/report.ts';
import { type ServerProcess, startServer } from '../lib/server-process.ts';
import { CONNECTIONS, type Conditions, load, loadTogether, objection } from '../lib/wrk.ts';
import { subjects } from './apps.ts';
import { type VariantName, variantNames, variantOf, variants } from './variants.ts';

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 2 : 3;
const CYCLES = quick ? 1 : 4;
const SECONDS = 1;
/** Of all three: until each has had 4 s of the core. Its CPU time for a request falls for so long, to a third or less. */
const WARM_UP_SECONDS = quick ? 1 : 12;
/** Of a pair, of which one has just worked and the other not. */
const PAIR_WARM_UP_SECONDS = 1;
const TOGETHER_SECONDS = quick ? 1 : 3;
const peers: readonly VariantName[] = quick
  ? ['prom-client', 'opentelemetry']
  : variantNames.filter((name) => name !== 'bare' && name !== 'package');
const sizes = quick ? ['9'] : ['9', '150'];
/**
 * Stands for what a real application has imported beside Express. Without it the bare server would be compared as it is with no
 * import at all, and whatever is imported first, a client library or anything else, costs it 3 to 4 % of its CPU time (tools/bench/README.md).
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

const ROLES = ['bare', 'package', 'peer'] as const;
type Role = (typeof ROLES)[number];
type Servers = Readonly<Record<Role, ServerProcess>>;
const PAIRS: readonly (readonly Role[])[] = [
  ['bare', 'package'],
  ['bare', 'peer'],
  ['package', 'peer'],
];

interface Round {
  /** Requests per second of each, in turns that followed one another. */
  readonly cycles: readonly Readonly<Record<Role, number>>[];
  /** Microseconds of CPU time for each request, of two servers that shared the core. */
  readonly pairs: readonly Readonly<Partial<Record<Role, number>>>[];
}

async function compare(peer: VariantName, size: string): Promise<Round[]> {
  const { mix } = subjects[size] as (typeof subjects)[string];
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const servers: Servers = {
      bare: await start('bare', size),
      package: await start('package', size),
      peer: await start(peer, size),
    };
    await loadTogether(Object.values(servers), mix, WARM_UP_SECONDS);
    rounds.push({
      pairs: await loadPairs(servers, mix),
      cycles: await takeTurns(servers, mix, round),
    });
    for (const server of Object.values(servers)) await server.stop();
  }
  return rounds;
}

async function loadPairs(servers: Servers, mix: readonly string[]): Promise<Round['pairs']> {
  const pairs: Round['pairs'][number][] = [];
  for (const roles of PAIRS) {
    const both = roles.map((role) => servers[role]);
    await loadTogether(both, mix, PAIR_WARM_UP_SECONDS);
    const { runs } = await valid(() => loadTogether(both, mix, TOGETHER_SECONDS));
    pairs.push(Object.fromEntries(roles.map((role, i) => [role, runs[i]?.cpuMicros])));
  }
  return pairs;
}

async function takeTurns(servers: Servers, mix: readonly string[], round: number): Promise<Round['cycles']> {
  const cycles: Record<Role, number>[] = [];
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const order = ROLES.map((_, i) => ROLES[(i + round) % ROLES.length] as Role);
    // Nobody always follows the same other.
    if (cycle % 2 === 1) order.reverse();
    const speeds = { bare: Number.NaN, package: Number.NaN, peer: Number.NaN };
    for (const role of order) {
      const { perSecond } = await valid(() => load(servers[role], mix, SECONDS));
      speeds[role] = perSecond;
    }
    cycles.push(speeds);
  }
  return cycles;
}

function start(name: VariantName, size: string): Promise<ServerProcess> {
  return startServer(
    new URL('./server.ts', import.meta.url).pathname,
    [name, size],
    [...ANOTHER_IMPORT, ...(variantOf(name).nodeOptions ?? [])],
  );
}

/** How many times the CPU time of `other` a request costs `one`, where they shared the core. */
function costRatio({ pairs }: Round, one: Role, other: Role): number {
  const pair = pairs.find((roles) => one in roles && other in roles);
  return (pair?.[one] ?? Number.NaN) / (pair?.[other] ?? Number.NaN);
}

function toRow(size: string, name: VariantName, role: Role, rounds: readonly Round[]) {
  const cycles = rounds.flatMap((round) => round.cycles);
  // Beside bare Express, and of that beside the package.
  const cpuMicros = rounds.map(({ pairs }) => pairs.find((pair) => role in pair)?.[role] ?? Number.NaN);
  const ofBare = rounds.map((round) => (role === 'bare' ? 1 : costRatio(round, 'bare', role)));
  const dearer = () => rounds.filter((round) => costRatio(round, 'peer', 'package') > 1).length;
  return {
    variant: variants[name].title,
    routes: size,
    'requests/s': median(cycles.map((speeds) => speeds[role])).toFixed(0),
    'of bare': median(cycles.map((speeds) => speeds[role] / speeds.bare)).toFixed(3),
    'server CPU, µs/request': median(cpuMicros).toFixed(1),
    'of bare by CPU': median(ofBare).toFixed(3),
    'lowest to highest': `${Math.min(...ofBare).toFixed(2)} - ${Math.max(...ofBare).toFixed(2)}`,
    'dearer than the package': role === 'peer' ? `${dearer()} of ${rounds.length}` : '',
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
    toRow(size, 'bare', 'bare', all),
    toRow(size, 'package', 'package', all),
    ...[...byPeer].map(([name, rounds]) => toRow(size, name, 'peer', rounds)),
  ];
}

const rows: Record<string, string>[] = [];
for (const size of sizes) rows.push(...(await measure(size)));
const packages = Object.values(variants).flatMap((variant) => [...variant.packages]);
report(
  'middleware-throughput',
  `${toMarkdown(rows)}

wrk with ${CONNECTIONS} connections on one core, the server saturated on the other. Bare Express, the package and one peer are started anew in each of
${ROUNDS} rounds for each peer, and warmed up for ${WARM_UP_SECONDS} s. Requests per second are of ${CYCLES} turns of ${SECONDS} s each, compared with those of the same cycle; CPU times are of ${TOGETHER_SECONDS} s in which
two of them share the core, and compared with the other's. Quoted are medians. All have imported zod, too. ${refused.length} of ${runs} runs did not count: in those the server left more than 5 %
of its core idle, the client used more than 90 % of its own, or other programs more than 15 % of the server's. ${describeMachine(packages)}. \`npm run bench:throughput --workspace tools\``,
  quick,
);
