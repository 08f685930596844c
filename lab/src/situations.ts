/**
 * Situations in which an answer is tried besides the learner's own: what the API's series would be if things had gone
 * otherwise. An answer that is right by accident is wrong in one of them, and each says what the accident was.
 */
export interface Situation {
  name: string;
  /** Said where an answer is wrong in it: what is otherwise. */
  lesson: string;
  /** Series and their samples, one every 5 s, in promtool's notation: `0+2x60` is 0, 2, 4 and so on for 60 steps. */
  series: Record<string, string>;
}

const STEPS = 120;
/** A counter that stands still, and one that grows by `step` each 5 s. */
const still = (value: number) => `${value}x${STEPS}`;
const growing = (step: number, from = 0) => `${from}+${step}x${STEPS}`;
/** One that starts again at 0 half-way. */
const restarted = (step: number) => `0+${step}x${STEPS / 2} 0+${step}x${STEPS / 2}`;

interface Replica {
  instance?: string;
  up?: number;
  inProgress?: number;
  requests: Record<string, string>;
  errors: Record<string, string>;
  /** By path and method: buckets up to 5 ms, 250 ms, 1 s, 2.5 s and beyond, each with the ones below it. */
  durations: Record<string, readonly [string, string, string, string, string]>;
}

const BOUNDS = ['0.005', '0.25', '1', '2.5', '+Inf'];

function seriesOf({ instance = 'api-1:8000', up = 1, inProgress = 0, ...metrics }: Replica) {
  const series: Record<string, string> = {};
  const add = (name: string, labels: string, samples: string) => {
    series[`${name}{job="api",instance="${instance}"${labels}}`] = samples;
  };
  const route = (key: string) => {
    const [path, method] = key.split(' ');
    return `,path="${path}",method="${method}"`;
  };
  add('up', '', still(up));
  if (up === 0) return series;
  add('inprogress_requests', '', still(inProgress));
  for (const [key, samples] of Object.entries(metrics.requests))
    add('http_requests_total', route(key), samples);
  for (const [code, samples] of Object.entries(metrics.errors))
    add('http_errors_total', `,code="${code}"`, samples);
  for (const [key, buckets] of Object.entries(metrics.durations)) {
    const [where = '', code = '200'] = key.split('|');
    const labels = `${route(where)},code="${code}"`;
    for (const [i, samples] of buckets.entries())
      add('http_request_duration_seconds_bucket', `${labels},le="${BOUNDS[i]}"`, samples);
    add('http_request_duration_seconds_count', labels, buckets[4]);
    add('http_request_duration_seconds_sum', labels, buckets[4]);
  }
  return series;
}

const busy: Replica = {
  inProgress: 3,
  requests: {
    'products get': growing(3),
    'products post': growing(2),
    'cart get': growing(7),
    'cart post': growing(1),
    'cars get': growing(2),
  },
  errors: { '404': growing(2), '499': still(0), '500': still(0) },
  durations: {
    'products get|200': [growing(2), growing(3), growing(3), growing(3), growing(3)],
    'products post|201': [growing(1), growing(2), growing(2), growing(2), growing(2)],
    'cart get|200': [growing(6), growing(7), growing(7), growing(7), growing(7)],
    'cart post|201': [still(0), still(0), still(0), growing(1), growing(1)],
    'cars get|200': [growing(1), growing(1), growing(2), growing(2), growing(2)],
    'unmatched get|404': [growing(2), growing(2), growing(2), growing(2), growing(2)],
  },
};

const failing: Replica = {
  ...busy,
  errors: { '404': growing(1, 20), '499': growing(1), '500': growing(3) },
  durations: {
    ...busy.durations,
    'products get|200': [still(0), still(0), still(0), still(0), still(0)],
    'products get|500': [growing(2), growing(3), growing(3), growing(3), growing(3)],
    'cart post|201': [still(0), still(0), still(0), still(0), still(0)],
    'cart post|499': [still(0), still(0), growing(1), growing(1), growing(1)],
    'unmatched get|404': [growing(1, 20), growing(1, 20), growing(1, 20), growing(1, 20), growing(1, 20)],
  },
};

const afterRestart: Replica = {
  requests: { 'products get': restarted(4), 'cart get': restarted(2), 'cart post': restarted(1) },
  errors: { '404': restarted(2), '500': still(0) },
  durations: {
    'products get|200': [restarted(3), restarted(4), restarted(4), restarted(4), restarted(4)],
    'cart get|200': [restarted(1), restarted(1), restarted(2), restarted(2), restarted(2)],
    'cart post|201': [still(0), still(0), restarted(1), restarted(1), restarted(1)],
    'unmatched get|404': [restarted(2), restarted(2), restarted(2), restarted(2), restarted(2)],
  },
};

const situation = (name: string, lesson: string, ...replicas: Replica[]): Situation => ({
  name,
  lesson,
  series: Object.assign({}, ...replicas.map(seriesOf)),
});

export const SITUATIONS = {
  traffic: situation('traffic goes on', 'Traffic goes on, and goes to the routes in other shares.', busy),
  failures: situation(
    'other errors',
    'There are other errors than 404: handlers that fail (500), clients that leave (499).',
    failing,
  ),
  replicas: situation(
    'two replicas',
    'There are two replicas of the API, each with series of its own: what is asked for is about both together.',
    busy,
    { ...failing, instance: 'api-2:8000' },
  ),
  down: situation(
    'one replica is down',
    'Of two replicas one does not answer: its target is still known, with the value 0.',
    busy,
    { ...failing, instance: 'api-2:8000', up: 0 },
  ),
  restart: situation(
    'a restart',
    'The API was restarted in between, so its counters began again at 0. Only rate() and increase() know what that means.',
    afterRestart,
  ),
} satisfies Record<string, Situation>;

export type SituationName = keyof typeof SITUATIONS;
