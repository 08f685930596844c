// What the API is at this moment, in words: why the other panels show what they show, or nothing.
import { STATE_COLORS } from './colors.ts';
import { stat, type Words } from './panels.ts';
import { CHOSEN, responses } from './promql.ts';
import { runbook } from './runbook.ts';

const { well, watch, bad, none } = STATE_COLORS;

/** Every replica of the service, also one that never answered and so cannot be chosen. */
const TARGETS = 'up{cluster=~"$cluster", job=~"$job"}';

/** Text, colour and query, in the order in which they are asked; the first that answers, 0 or nothing, is the state. */
const STATES = [
  ['No fresh sample: is this clock ahead?', watch, '0 * max(max_over_time(up[5m])) unless on () max(up)'],
  ['Not known: no API is scraped', bad, `0 * max(up) unless on () max(${TARGETS})`],
  ['Down: no replica answers scrapes', bad, `0 * (max(${TARGETS}) == 0)`],
  ['Degraded: a replica fails its scrapes', watch, `0 * (min(${TARGETS}) == 0)`],
  ['Draining: waits for its last scrape', none, `0 * (max(http_server_drained{${CHOSEN}}) == 1)`],
  [
    'Just started: rates need some scrapes',
    none,
    `0 * (min(time() - process_start_time_seconds{${CHOSEN}}) < 30)`,
  ],
  ['Idle: nothing is asked', none, `0 * (${responses()} == 0)`],
  ['Serving', well, `0 * max(${TARGETS})`],
] as const;

export const stateWords: Words = Object.fromEntries(STATES.map(([text, color], i) => [i, { text, color }]));
export const stateQuery = STATES.map(([, , expr], i) => `(${expr}) + ${i}`).join(' or ');

export const statePanel = (width: number) =>
  stat('State', {
    shows: 'What the API is at this moment, and so why other panels show nothing.',
    investigate: 'if it is *Down*, *Degraded* or *Not known*; the alerts fire after a while.',
    seeAlso: `${runbook('ApiDown')}, ${runbook('ApiTargetMissing')}. Without a fresh sample Prometheus does not run, or the clock of this computer is ahead of its clock: [Scrape health](/d/scrape-health) for a range that ends a minute ago tells which.`,
    width,
    height: width > 8 ? 3 : 4,
    unit: 'none',
    queries: { state: stateQuery },
    words: stateWords,
    noValue: 'No sample in the last five minutes',
  });
