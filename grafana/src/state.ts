// The current state of the API in words, to explain why other panels show no data.
import { STATE_COLORS } from './colors.ts';
import { stat, type Words } from './panels.ts';
import { CHOSEN, responses } from './promql.ts';
import { runbook } from './runbook.ts';

const { well, watch, bad, none } = STATE_COLORS;

/** All replicas of the service, including those that never responded and are therefore missing from `instance`. */
const TARGETS = 'up{cluster=~"$cluster", job=~"$job"}';

/** Text, colour and query of each state. Each query returns 0 or nothing; the first that returns 0 is the state. */
const STATES = [
  ['No recent sample: is your clock ahead?', watch, '0 * max(max_over_time(up[5m])) unless on () max(up)'],
  ['Unknown: no API is scraped', bad, `0 * max(up) unless on () max(${TARGETS})`],
  ['Down: no replica answers scrapes', bad, `0 * (max(${TARGETS}) == 0)`],
  ['Degraded: a replica fails its scrapes', watch, `0 * (min(${TARGETS}) == 0)`],
  ['Draining: waiting for the last scrape', none, `0 * (max(http_server_drained{${CHOSEN}}) == 1)`],
  [
    'Just started: rates need a few scrapes',
    none,
    `0 * (min(time() - process_start_time_seconds{${CHOSEN}}) < 30)`,
  ],
  ['Idle: no requests', none, `0 * (${responses()} == 0)`],
  ['Serving', well, `0 * max(${TARGETS})`],
] as const;

export const stateWords: Words = Object.fromEntries(STATES.map(([text, color], i) => [i, { text, color }]));
export const stateQuery = STATES.map(([, , expr], i) => `(${expr}) + ${i}`).join(' or ');

export const statePanel = (width: number) =>
  stat('State', {
    shows: 'The current state of the API, which explains why other panels have no data.',
    investigate: 'if it is *Down*, *Degraded* or *Unknown*. The alerts about these fire later.',
    seeAlso: `${runbook('ApiDown')}, ${runbook('ApiReplicaDown')}, ${runbook('ApiTargetMissing')}. With *No recent sample*, check the clock of your computer, then ${runbook('PrometheusStoresNothing')}.`,
    width,
    height: width > 8 ? 3 : 4,
    unit: 'none',
    queries: { state: stateQuery },
    words: stateWords,
    noValue: 'No samples in the last five minutes',
  });
