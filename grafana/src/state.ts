// What the API is at this moment, in words: why the other panels show what they show, or nothing.
import { STATE_COLORS } from './colors.ts';
import { stat, type Words } from './panels.ts';
import { CHOSEN, responses } from './promql.ts';
import { runbook } from './runbook.ts';

const { well, watch, bad, none } = STATE_COLORS;

/** Every replica of the service, also one that never answered and so cannot be chosen. */
const TARGETS = 'up{job=~"$job"}';

/** Samples older than this are not seen by an instant query: `--query.lookback-delta` of docker-compose.yml. */
export const LOOKBACK_SECONDS = 15;

/** In the order in which they are asked; the first that answers is the state. Each query answers 0 or nothing. */
const STATES = [
  {
    text: 'No fresh sample: is this clock ahead?',
    color: watch,
    expr: '0 * max(max_over_time(up[5m])) unless on () max(up)',
  },
  {
    text: 'Not known: no API is scraped',
    color: bad,
    expr: `0 * max(up) unless on () max(${TARGETS})`,
  },
  { text: 'Down: no replica answers scrapes', color: bad, expr: `0 * (max(${TARGETS}) == 0)` },
  {
    text: 'Degraded: a replica fails its scrapes',
    color: watch,
    expr: `0 * (min(${TARGETS}) == 0)`,
  },
  {
    text: 'Draining: waits for its last scrape',
    color: none,
    expr: `0 * (max(http_server_drained{${CHOSEN}}) == 1)`,
  },
  {
    text: 'Just started: rates need some scrapes',
    color: none,
    expr: `0 * (min(time() - process_start_time_seconds{${CHOSEN}}) < 30)`,
  },
  { text: 'Idle: nothing is asked', color: none, expr: `0 * (${responses()} == 0)` },
  { text: 'Serving', color: well, expr: `0 * max(${TARGETS})` },
] as const;

export const stateWords: Words = Object.fromEntries(STATES.map(({ text, color }, i) => [i, { text, color }]));
export const stateQuery = STATES.map(({ expr }, i) => `(${expr}) + ${i}`).join(' or ');

export const statePanel = (width: number) =>
  stat({
    title: 'State',
    shows: 'What the API is at this moment, and so why other panels show nothing.',
    worry: 'at *Down*, *Degraded* and *Not known*; the alerts do so after a while.',
    next: `${runbook('ApiDown')}, ${runbook('ApiTargetMissing')}. Without a fresh sample Prometheus stands still, or the clock of this computer is ahead of its clock: [Scrape health](/d/scrape-health) for a range that ends a minute ago tells which.`,
    width,
    height: width > 8 ? 3 : 4,
    unit: 'none',
    queries: [{ expr: stateQuery, legend: 'state' }],
    words: stateWords,
    noValue: 'No sample in the last five minutes',
  });
