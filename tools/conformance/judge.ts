/** Judges one library: starts its program, sends the probes, and reads the counts from its exposition. */
import { once } from 'node:events';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../test/support/until.ts';
import { columns } from './columns.ts';
import { describeMistakes, describeTotal, difference, type Metric, parseSamples, sum } from './counts.ts';
import { exchange, type Probe, type ProbeName, probes, slowHelper, slowOnes, toSent } from './probes.ts';
import { type Program, type ProgramName, startProgram } from './programs.ts';

const POLL_MS = 50;
/** Counts that have not changed for this long are complete, or missing. */
const STABLE_MS = 300;
/** How many requests to `/slow` to wait for if counts are missing. A slow program takes longer for them, so this is no fixed time. */
const SLOW_REQUESTS = 2;
/** How often to repeat scrapes of counts that change, or of four processes if counts are missing. */
const ROUNDS = 50;
/** More series than the routes of the programs need, including the buckets of a histogram. */
const MANY_SERIES = 100;
/**
 * Of the probe with four processes: the requests before the first kill, the number of kills, and the requests after each kill. The
 * first number is odd, so that not all processes have the same count.
 */
const SPREAD = 401;
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

/** Scrapes until the counts no longer change. */
async function stableScrape(program: Program, before: string, metric: Metric): Promise<string> {
  let [changedMs, last, after] = [performance.now(), -1, before];
  for (let round = 0; round < ROUNDS; round++) {
    after = await scrape(program);
    const total = sum(difference(before, after, metric));
    if (total === last && performance.now() - changedMs > STABLE_MS) break;
    if (total !== last) [changedMs, last] = [performance.now(), total];
    await delay(POLL_MS);
  }
  return after;
}

async function judgeProbe(program: Program, name: ProgramName, probe: Probe): Promise<string> {
  const { metric } = columns[name];
  const before = await scrape(program);
  const requests = await probe.send(portOf(program));
  // It ends after the handlers that were running when it was sent.
  if (probe.runsOn) requests.push(await slowHelper(portOf(program)));
  let after = await stableScrape(program, before, metric);
  const isMissing = () => sum(difference(before, after, metric)) < requests.length;
  for (let left = SLOW_REQUESTS; left > 0 && isMissing(); left--) {
    requests.push(await slowHelper(portOf(program)));
    after = await stableScrape(program, before, metric);
  }
  const sent = toSent(requests, metric);
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
    for (let round = 0; round < ROUNDS && !(totals.size === 1 && totals.has(SPREAD)); round++) {
      if (round > 0) await delay(POLL_MS);
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
  const complete = async (expected: number) => {
    let total = await shown();
    for (let round = 0; round < ROUNDS && total < expected; round++) {
      await delay(POLL_MS);
      total = await shown();
    }
    return total;
  };
  let [expected, falls] = [SPREAD, 0];
  for (let kill = 0; kill < KILLS; kill++) {
    const before = await complete(expected);
    await program.killOne();
    const after = await shown();
    if (after < before) falls++;
    await spread(program, SPREAD_BETWEEN);
    expected = after + SPREAD_BETWEEN;
  }
  const sent = SPREAD + KILLS * SPREAD_BETWEEN;
  const counted = await complete(expected);
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
