// The variables of the page that lays two runs of the load generator side by side: which runs there are, from the marks that
// they write, and what follows from the choice of two.
import {
  QueryVariableBuilder,
  VariableHide,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DATASOURCE } from './panel.ts';

const DAY = '[1d:10s]';
const DIGITS = '(?<value>-?[0-9.]+)';

/**
 * Every run that began within a day, the newest first, as a series with its start as label `start` and its name as label
 * `run`. A run's mark is one sample, and the next run of the pattern writes into the same series: so the value of each
 * moment becomes a label, and the moments of a day come back as series.
 */
const runs = (condition = '') => {
  const start = 'loadgen_run_start_time_seconds';
  const each = `last_over_time((${start} * on (pattern) group_left (start) count_values by (pattern) ("start", ${start}))${DAY})`;
  const chosen = condition ? `(${each} ${condition})` : each;
  const minutesAgo = `floor((time() - ${chosen}) / 60)`;
  const aged = `${chosen} * on (pattern, start) group_left (ago) count_values by (pattern, start) ("ago", ${minutesAgo})`;
  return `label_replace(label_join(${aged}, "run", ", ", "pattern", "ago"), "run", "$1 min ago", "run", "(.*)")`;
};

/** The newest first; where there is none, a choice that says so, because an empty one would break every query. */
const choice = (found: string, otherwise: string, words: string) =>
  `sort_desc(${found} or on () label_replace(count_values("start", ${otherwise}), "run", "${words}", "", ""))`;

const query = (name: string, expr: string, regex: string) =>
  new QueryVariableBuilder(name)
    .datasource(DATASOURCE)
    .query(`query_result(${expr})`)
    .regex(regex)
    .refresh(VariableRefresh.OnTimeRangeChanged);

const CHOICE = '/run="(?<text>[^"]+)",\\s*start="(?<value>[^"]+)"/';

/** A number that follows from the choice. */
const derived = (name: string, expr: string) =>
  query(name, expr, `/\\} ${DIGITS} /`).hide(VariableHide.HideVariable);

/** The first scrape after the end of a run, in Unix seconds; two minutes after its start where it has no end. */
const settled = (start: string) =>
  `min(min_over_time((loadgen_run_end_time_seconds > ${start})${DAY}) + 6) or vector(${start} + 120)`;

export const runVariables = [
  query('run', choice(runs(), 'round(vector(time()))', 'no run in the last day'), CHOICE).label('Run'),
  query('before', choice(runs('< $run'), 'vector($run)', 'none before: itself'), CHOICE).label('Beside'),
  derived('end', settled('$run')),
  derived('before_end', settled('$before')),
  derived('span', 'ceil(vector(1000 * ($end - $run + 10)))'),
  derived('before_span', 'ceil(vector(1000 * ($before_end - $before + 10)))'),
  derived('shift', 'round(vector(1000 * ($run - $before)))'),
  derived('from', 'round(vector(1000 * ($run - 30)))'),
  derived('to', 'round(vector(1000 * ($end + 30)))'),
];
