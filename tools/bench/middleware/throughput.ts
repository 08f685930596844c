/**
 * CPU time per request of a saturated server, with every kind of instrumentation. Each round starts three servers: bare Express, the
 * package, and one peer. Two of them at a time are loaded simultaneously and share a core, so that any slowdown affects both. Two
 * processes with the same code differ by some per cent throughout their lifetime, depending on compilation and memory layout, so
 * several rounds are needed.
 */
import { median, quick, report, spread } from '../lib/report.ts';
import { type ServerProcess, startServer } from '../lib/server-process.ts';
import { CONNECTIONS, load, objection } from '../lib/wrk.ts';
import { subjects } from './apps.ts';
import { packages, type VariantName, variantNames, variantOf, variants } from './variants.ts';

const ROUNDS = quick ? 2 : 3;
/** Warm-up of all three, until each has used 4 s of the core: until then, CPU time per request drops to a third or less. */
const WARM_UP_SECONDS = quick ? 1 : 12;
/** Warm-up of a pair, of which one was just under load and the other was not. */
const PAIR_WARM_UP_SECONDS = 1;
const SECONDS = quick ? 1 : 3;
const peers: readonly VariantName[] = quick
  ? ['prom-client', 'opentelemetry']
  : variantNames.filter((name) => name !== 'bare' && name !== 'package');
const sizes = quick ? ['9'] : ['9', '150'];
/** Represents the imports of a real application; tools/bench/README.md explains why the bare server needs it too. */
const ANOTHER_IMPORT = ['--import', 'zod'];
/** If a larger share of runs is invalid, the machine is too busy. */
const INVALID_AT_MOST = 0.5;

let runs = 0;
const refused: string[] = [];

/** CPU times per request of a valid load, in microseconds. @throws if too many loads are invalid */
async function valid(servers: readonly ServerProcess[], mix: readonly string[]): Promise<number[]> {
  for (;;) {
    const measured = await load(servers, mix, SECONDS);
    runs++;
    const why = objection(measured);
    if (why === undefined) return measured.cpuMicros;
    refused.push(why);
    if (refused.length > 10 && refused.length > runs * INVALID_AT_MOST) {
      throw new Error(
        `no figures: ${refused.length} of ${runs} runs say nothing of the server; the last because ${why}`,
      );
    }
  }
}

type Role = 'bare' | 'package' | 'peer';
const PAIRS: readonly (readonly [Role, Role])[] = [
  ['bare', 'package'],
  ['bare', 'peer'],
  ['package', 'peer'],
];
/** For each of {@link PAIRS}, CPU microseconds per request. */
type Round = readonly Readonly<Partial<Record<Role, number>>>[];

async function compare(peer: VariantName, size: string): Promise<Round[]> {
  const { mix } = subjects[size] as (typeof subjects)[string];
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const servers = {
      bare: await start('bare', size),
      package: await start('package', size),
      peer: await start(peer, size),
    };
    await load(Object.values(servers), mix, WARM_UP_SECONDS);
    const pairs: Record<string, number>[] = [];
    for (const roles of PAIRS) {
      const both = roles.map((role) => servers[role]);
      await load(both, mix, PAIR_WARM_UP_SECONDS);
      const [first = Number.NaN, second = Number.NaN] = await valid(both, mix);
      pairs.push({ [roles[0]]: first, [roles[1]]: second });
    }
    rounds.push(pairs);
    for (const server of Object.values(servers)) await server.stop();
  }
  return rounds;
}

const start = (name: VariantName, size: string) =>
  startServer([name, size], [...ANOTHER_IMPORT, ...(variantOf(name).nodeOptions ?? [])]);

/** The ratio of CPU time per request of `one` to `other`, when they shared the core. */
function costRatio(pairs: Round, one: Role, other: Role): number {
  const pair = pairs.find((roles) => one in roles && other in roles);
  return (pair?.[one] ?? Number.NaN) / (pair?.[other] ?? Number.NaN);
}

/** @param bareMicros CPU time per request of bare Express, by which ratios become times: absolute times of different rounds cannot be compared */
function toRow(size: string, name: VariantName, role: Role, rounds: readonly Round[], bareMicros: number) {
  const ofBare = rounds.map((pairs) => (role === 'bare' ? 1 : costRatio(pairs, 'bare', role)));
  const costlier = () => rounds.filter((pairs) => costRatio(pairs, 'peer', 'package') > 1).length;
  return {
    instrumentation: variants[name].title,
    routes: size,
    'server CPU, µs/request': (bareMicros / median(ofBare)).toFixed(1),
    'of bare Express': median(ofBare).toFixed(3),
    'lowest to highest': spread(ofBare),
    'costs more than the package': role === 'peer' ? `${costlier()} of ${rounds.length}` : '',
  };
}

const rows: Record<string, string>[] = [];
for (const size of sizes) {
  const byPeer = new Map<VariantName, Round[]>();
  for (const peer of peers) {
    process.stderr.write(`${size} routes: bare Express, the package and ${variants[peer].title}\n`);
    byPeer.set(peer, await compare(peer, size));
  }
  const all = [...byPeer.values()].flat();
  const bareMicros = median(all.map(([withPackage]) => withPackage?.bare ?? Number.NaN));
  rows.push(
    toRow(size, 'bare', 'bare', all, bareMicros),
    toRow(size, 'package', 'package', all, bareMicros),
    ...[...byPeer].map(([name, rounds]) => toRow(size, name, 'peer', rounds, bareMicros)),
  );
}
report(
  'middleware-throughput',
  rows,
  `wrk with ${CONNECTIONS} connections to each server on one core; the servers saturate the other. In each of ${ROUNDS} rounds for each peer, bare Express, the package and
the peer are restarted and warmed up for ${WARM_UP_SECONDS} s. Then they share the core in pairs, for ${SECONDS} s, and the CPU times of a pair are compared. Ratios are medians, and so is the CPU time of bare Express; that of the others is this time divided by their ratios, because the rounds differ.
${refused.length} of ${runs} runs were [discarded](../README.md#how-throughput-is-measured).`,
  packages,
);
