/** Judges one library: starts its program, sends the probes, and reads the counts from its exposition. */
import { once } from 'node:events';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../test/support/until.ts';
import { columns } from './columns.ts';
import { describeMistakes, describeTotal, difference, type Metric, parseSamples, sum } from './counts.ts';
import { exchange, type Probe, type ProbeName, probes, slowOnes, toSent } from './probes.ts';
import { type Program, type ProgramName, startProgram } from './programs.ts';

const POLL_MS = 50;
/** Counts that have not changed for this long are final; the second is longer than a request to `/slow`. */
const STABLE_MS = 300;
const RUN_ON_MS = 1_300;
/** How long to wait for missing counts. */
const DEADLINE_MS = 3_000;
/** More series than the routes of the programs need, including the buckets of a histogram. */
const MANY_SERIES = 100;
/** Of the probe with four processes: the requests before the first kill, the number of kills, and the requests after each kill. */
const SPREAD = 400;
const KILLS = 4;
const SPREAD_BETWEEN = 40;
const IN_FLIGHT = 5;

export const ONE_BY_DESIGN = 'one process by design';

/** The titles of the other rows, which need separate processes, or send nothing. */
export const otherRows = {
  processes: `Four processes, and ${KILLS} times one is killed and replaced`,
  terminated: `SIGTERM with ${IN_FLIGHT} requests in progress: a scrape shows those answered`,
  scrapes: 'Its own scrapes',
  restart: 'What shows a restart',
} as const;

export type RowName = ProbeName | keyof typeof otherRows;
/** By row: an empty string if each request was counted once and correctly; otherwise a description of the counts. */
export type Cells = Readonly<Record<RowName, string>>;

const portOf = (program: Program) => Number(new URL(program.url).port);

/** On its own connection, because some servers close idle connections just when they are used again. */
async function scrape({ metricsUrl }: Program): Promise<string> {
  const [response] = await once(get(metricsUrl, { agent: false }), 'response');
  return text(response);
}

async function judgeProbe(program: Program, name: ProgramName, probe: Probe): Promise<string> {
  const { metric } = columns[name];
  const before = await scrape(program);
  const sent = toSent(await probe.send(portOf(program)), metric);
  const startMs = performance.now();
  let [changedMs, last, after] = [startMs, -1, before];
  for (;;) {
    after = await scrape(program);
    const total = sum(difference(before, after, metric));
    const nowMs = performance.now();
    if (total !== last) [changedMs, last] = [nowMs, total];
    const isComplete = total >= sum(sent) && nowMs - changedMs > (probe.runsOn ? RUN_ON_MS : STABLE_MS);
    if (isComplete || nowMs - startMs > DEADLINE_MS) break;
    await delay(POLL_MS);
  }
  const mistakes = describeMistakes(sent, difference(before, after, metric));
  const family = `${metric.name.replace(/_(count|total)$/, '')}(?:_\\w+)?`;
  const grown = parseSamples(after, family).size - parseSamples(before, family).size;
  return [mistakes, ...(grown > MANY_SERIES ? [`${grown.toLocaleString('en')} new series`] : [])]
    .filter(Boolean)
    .join(', ');
}

/** @returns whether scrapes are counted like other requests */
async function judgeScrapes(program: Program, name: ProgramName): Promise<string> {
  const { scrapes: _, ...metric } = columns[name].metric;
  const before = await scrape(program);
  for (let i = 0; i < 4; i++) await scrape(program);
  return sum(difference(before, await scrape(program), metric)) > 0 ? 'counted' : 'not counted';
}

async function spread(program: Program, count: number): Promise<void> {
  const requests: Promise<string[]>[] = [];
  for (let i = 0; i < count; i++) {
    requests.push(exchange(portOf(program), 'GET /users/7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
    if (i % 10 === 9) await Promise.all(requests);
  }
  await Promise.all(requests);
}

async function judgeProcesses(name: ProgramName): Promise<string> {
  if (columns[name].language === 'Go' || columns[name].language === 'Java') return ONE_BY_DESIGN;
  const program = await startProgram(name, 4);
  try {
    const { metric } = columns[name];
    const total = async () => sum(difference('', await scrape(program), metric));
    await spread(program, SPREAD);
    const totals = new Set<number>();
    const endMs = performance.now() + DEADLINE_MS;
    while (performance.now() < endMs && !(totals.size === 1 && totals.has(SPREAD))) {
      totals.clear();
      for (let i = 0; i < 8; i++) totals.add(await total());
    }
    if (totals.size > 1) return 'each scrape shows one process';
    const [first = 0] = totals;
    return describeTotal(SPREAD, first) || (await judgeKilled(program, metric));
  } finally {
    await program.stop();
  }
}

/** Kills each process only after a scrape has read its counts, so that no loss is necessary. */
async function judgeKilled(program: Program, metric: Metric): Promise<string> {
  // A scrape may fail while a process starts; the sum has not fallen then.
  const shown = async () => {
    const text = await eventually('an exposition', async () => {
      const exposition = await scrape(program);
      return exposition.includes('# TYPE ') && exposition;
    });
    return sum(difference('', text, metric));
  };
  let falls = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const before = await shown();
    await program.killOne();
    if ((await shown()) < before) falls++;
    await spread(program, SPREAD_BETWEEN);
  }
  const sent = SPREAD + KILLS * SPREAD_BETWEEN;
  const counted = await shown();
  if (falls === 0) return describeTotal(sent, counted);
  const often = falls === KILLS ? 'with each kill' : `with ${falls} of ${KILLS} kills`;
  return `the sum falls ${often}, and ${counted < sent / 2 ? 'most' : 'a part'} is lost`;
}

/** Scrapes until the program ends, more often than any Prometheus. @returns the responses that clients got, and those in scrapes */
async function terminate(name: ProgramName): Promise<{ answered: number; seen: number }> {
  const program = await startProgram(name);
  try {
    const { sockets, sent } = await slowOnes(portOf(program), IN_FLIGHT);
    let answered = 0;
    const ends = sockets.map(async (socket) => {
      if ((await text(socket)).startsWith('HTTP/1.1 200')) answered++;
    });
    let isRunning = true;
    void program.exited.then(() => {
      isRunning = false;
    });
    program.terminate();
    let seen = 0;
    while (isRunning) {
      const exposition = await scrape(program).catch(() => '');
      if (exposition) seen = sum(difference('', exposition, columns[name].metric)) - sent.length;
      await delay(5);
    }
    await Promise.allSettled(ends);
    return { answered, seen };
  } finally {
    await program.stop();
  }
}

/** Repeated three times, because if a program does not wait for a scrape, the result depends on milliseconds. */
async function judgeTerminated(name: ProgramName): Promise<string> {
  const runs = [await terminate(name), await terminate(name), await terminate(name)];
  if (runs.every(({ answered }) => answered === 0)) return 'none was answered';
  if (runs.every(({ answered, seen }) => answered === IN_FLIGHT && seen === IN_FLIGHT)) return '';
  const range = (values: number[]) => [...new Set([Math.min(...values), Math.max(...values)])].join(' to ');
  return `${range(runs.map(({ answered }) => answered))} answered, ${range(runs.map(({ seen }) => seen))} seen`;
}

function judgeRestart(exposition: string): string {
  const [found] = /^process_start_time_seconds(?= )|^\w+_created(?=[{ ])/m.exec(exposition) ?? [];
  return found === undefined ? 'only that counters fall' : `\`${found}\``;
}

/** @throws {LeftOut} if its language is missing */
export async function judge(name: ProgramName): Promise<Cells> {
  const cells: Record<string, string> = {};
  const program = await startProgram(name);
  try {
    // The first request is not judged.
    await exchange(portOf(program), 'GET /users/7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    for (const [row, probe] of Object.entries(probes)) {
      cells[row] = await judgeProbe(program, name, probe);
    }
    cells.scrapes = await judgeScrapes(program, name);
    cells.restart = judgeRestart(await scrape(program));
  } finally {
    await program.stop();
  }
  cells.processes = await judgeProcesses(name);
  cells.terminated = await judgeTerminated(name);
  return cells as Cells;
}
