/**
 * Scenarios in which an answer is evaluated in addition to the learner's stack: the API's series under other circumstances. An
 * answer that is correct only by coincidence is wrong in one of them, and the scenario explains the coincidence.
 */
export interface Scenario {
  name: string;
  /** The difference that the scenario makes, for a learner whose answer is wrong there. */
  lesson: string;
  /** Series and their samples, one every 5 s, in promtool's notation: `0+2x60` is 0, 2, 4 and so on for 60 steps. */
  series: Record<string, string>;
}

const STEPS = 120;
const BOUNDS = ['0.005', '0.25', '1', '2.5', '+Inf'];

/**
 * Requests with one outcome: path, method, code, and for every 5 s the number of requests that took at most each of {@link BOUNDS}.
 * The last value is the number of requests before the start.
 */
type Requests = readonly [string, string, number, readonly [number, number, number, number, number], number?];

interface Replica {
  instance?: string;
  isUp?: boolean;
  /** Resets its counters to 0 halfway. */
  isRestarted?: boolean;
  inProgress?: number;
  requests: readonly Requests[];
}

function seriesOf(replica: Replica): Record<string, string> {
  const { instance = 'api-1:8000', isUp = true, isRestarted = false, inProgress = 0, requests } = replica;
  const series: Record<string, string> = {};
  const add = (name: string, labels: object, samples: string) => {
    const pairs = Object.entries({ job: 'api', instance, ...labels }).map(
      ([key, value]) => `${key}="${value}"`,
    );
    series[`${name}{${pairs.join(',')}}`] = samples;
  };
  const still = (value: number) => `${value}x${STEPS}`;
  const counter = (step: number, from = 0) =>
    isRestarted ? `0+${step}x${STEPS / 2} 0+${step}x${STEPS / 2}` : `${from}+${step}x${STEPS}`;
  /** Adds one counter: the sum of all requests that match. */
  const sum = (name: string, labels: object, matches: (one: Requests) => boolean) => {
    const own = requests.filter(matches);
    const step = own.reduce((total, [, , , atMost]) => total + atMost[4], 0);
    const from = own.reduce((total, [, , , , before = 0]) => total + before, 0);
    add(name, labels, counter(step, from));
  };
  add('up', {}, still(Number(isUp)));
  if (!isUp) return series;
  add('inprogress_requests', {}, still(inProgress));
  for (const code of [404, 499, 500]) sum('http_errors_total', { code }, (one) => one[2] === code);
  for (const [path, method, code, atMost, from] of requests) {
    const route = { path, method };
    if (path !== 'unmatched')
      sum('http_requests_total', route, (one) => one[0] === path && one[1] === method);
    for (const [i, step] of atMost.entries())
      add('http_request_duration_seconds_bucket', { ...route, code, le: BOUNDS[i] }, counter(step, from));
    add('http_request_duration_seconds_count', { ...route, code }, counter(atMost[4], from));
    add('http_request_duration_seconds_sum', { ...route, code }, counter(atMost[4], from));
  }
  return series;
}

const busy: Replica = {
  inProgress: 3,
  requests: [
    ['products', 'get', 200, [2, 3, 3, 3, 3]],
    ['products', 'post', 201, [1, 2, 2, 2, 2]],
    ['cart', 'get', 200, [6, 7, 7, 7, 7]],
    ['cart', 'post', 201, [0, 0, 0, 1, 1]],
    ['cars', 'get', 200, [1, 1, 2, 2, 2]],
    ['unmatched', 'get', 404, [2, 2, 2, 2, 2]],
  ],
};

const failing: Replica = {
  inProgress: 3,
  requests: [
    ['products', 'get', 200, [0, 0, 0, 0, 0]],
    ['products', 'get', 500, [2, 3, 3, 3, 3]],
    ['products', 'post', 201, [1, 2, 2, 2, 2]],
    ['cart', 'get', 200, [6, 7, 7, 7, 7]],
    ['cart', 'post', 201, [0, 0, 0, 0, 0]],
    ['cart', 'post', 499, [0, 0, 1, 1, 1]],
    ['cars', 'get', 200, [1, 1, 2, 2, 2]],
    ['unmatched', 'get', 404, [1, 1, 1, 1, 1], 20],
  ],
};

const restarted: Replica = {
  isRestarted: true,
  requests: [
    ['products', 'get', 200, [3, 4, 4, 4, 4]],
    ['cart', 'get', 200, [1, 1, 2, 2, 2]],
    ['cart', 'post', 201, [0, 0, 1, 1, 1]],
    ['unmatched', 'get', 404, [2, 2, 2, 2, 2]],
  ],
};

const scenario = (name: string, lesson: string, ...replicas: Replica[]): Scenario => ({
  name,
  lesson,
  series: Object.assign({}, ...replicas.map(seriesOf)),
});

export const SCENARIOS = {
  traffic: scenario('more traffic', 'There is ongoing traffic, with a different share for each route.', busy),
  failures: scenario(
    'other errors',
    'There are errors other than 404: handlers that fail (500), clients that disconnect (499).',
    failing,
  ),
  replicas: scenario(
    'two replicas',
    'There are two replicas of the API, each with its own series, and the question is about both together.',
    busy,
    { ...failing, instance: 'api-2:8000' },
  ),
  down: scenario(
    'one replica is down',
    'One of two replicas does not respond: its series up still exists, with the value 0.',
    busy,
    { ...failing, instance: 'api-2:8000', isUp: false },
  ),
  restart: scenario(
    'a restart',
    'The API restarted in between, so its counters started again at 0. Only rate() and increase() correct for that.',
    restarted,
  ),
} satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS;
