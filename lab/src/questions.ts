/** The questions, in the order of the labs and of docs/tutorial.md. The one table of what is asked and what is right. */
import type { ScenarioName } from './scenarios.ts';

interface Common {
  id: string;
  text: string;
  solution: string;
  /** From a nudge to nearly the answer. */
  hints: readonly string[];
  /** Shown with a right answer, and with the solution. */
  why: string;
}

/** Answered with a query; where it is about a number that does not change, with that number as well. */
export interface QueryQuestion extends Common {
  acceptsNumber?: boolean;
  /** Labels that are part of the answer. Without them only values are compared. */
  labels?: readonly string[];
  scenarios: readonly ScenarioName[];
}

export interface ChoiceQuestion extends Common {
  choices: Readonly<Record<string, string>>;
}

export type Question = QueryQuestion | ChoiceQuestion;

export const QUESTIONS: readonly Question[] = [
  {
    id: 'total',
    acceptsNumber: true,
    text: 'How many requests were handled by a route, in total?',
    solution: 'sum(http_requests_total)',
    scenarios: ['traffic', 'replicas'],
    hints: [
      'The counter is called http_requests_total; it has one series for each path and method.',
      'An aggregation makes one number of many series: sum(...).',
    ],
    why: 'Each pair of path and method is a series, each replica has its own, and sum() adds them all.',
  },
  {
    id: 'busiest',
    labels: ['path', 'method'],
    text: 'Which path and method got the most? (the two words, or a query whose answer has these labels)',
    solution: 'topk(1, sum by (path, method) (http_requests_total))',
    scenarios: ['traffic', 'replicas'],
    hints: [
      'Look at http_requests_total, and find the largest.',
      'topk(1, ...) keeps the largest; sum by (path, method) (...) first adds up the replicas.',
    ],
    why: 'topk(1, ...) keeps the largest series with its labels; max() would keep its value and lose its name.',
  },
  {
    id: 'errors',
    acceptsNumber: true,
    text: 'How many responses were errors, of whatever code?',
    solution: 'sum(http_errors_total)',
    scenarios: ['traffic', 'failures', 'replicas'],
    hints: [
      'Errors are a counter of their own, with the label code.',
      'http_errors_total, and all its codes together.',
    ],
    why: 'Today they are all 404. The sum is right tomorrow as well, when a handler fails or a client leaves.',
  },
  {
    id: 'gauge',
    text: 'Which type has a metric for the requests that are being handled at this moment?',
    choices: { counter: 'only goes up', gauge: 'goes up and down', histogram: 'sorts into buckets' },
    solution: 'gauge',
    hints: ['What does the number do when a request ends?'],
    why: 'It goes up when a request enters and down when it leaves; a counter never goes down.',
  },
  {
    id: 'in-progress',
    acceptsNumber: true,
    text: 'How many requests are in progress right now?',
    solution: 'sum(inprogress_requests)',
    scenarios: ['traffic', 'replicas'],
    hints: [
      'It is a gauge: its value is the answer, no rate() needed.',
      'inprogress_requests, of all replicas together.',
    ],
    why: 'A gauge is read as it is. Back at 0 without traffic, it also says that no request was lost on its way out.',
  },
  {
    id: 'up',
    text: 'Write a query: how many processes of the API does Prometheus reach?',
    solution: 'sum(up{job="api"})',
    scenarios: ['replicas', 'down'],
    hints: [
      'Prometheus makes a series itself for each target: up. Its value is 1 or 0.',
      'Only the job "api", and the values added up; a count would count the dead ones too.',
    ],
    why: 'up is 1 for a target that answered and 0 for one that did not, so the sum counts those that did.',
  },
  {
    id: 'rate',
    text: 'Write a query: how many requests per second did the routes handle, over the last minute?',
    solution: 'sum(rate(http_requests_total[1m]))',
    scenarios: ['traffic', 'replicas', 'restart'],
    hints: [
      'rate(counter[window]) is the increase per second over the window.',
      'First the rate of each series, then the sum: sum(rate(http_requests_total[1m])).',
    ],
    why: 'rate() sees each counter restart and makes up for it, which works only before the sum.',
  },
  {
    id: 'error-ratio',
    text: 'Write a query for the error ratio of the last 5 minutes: which share of all requests, matched by a route or not, were errors?',
    solution: 'sum(rate(http_errors_total[5m])) / sum(rate(http_request_duration_seconds_count[5m]))',
    scenarios: ['traffic', 'failures', 'replicas', 'restart'],
    hints: [
      'http_requests_total lacks what no route handled. http_request_duration_seconds_count has every request.',
      'Both sides as sum(rate(...[5m])), one divided by the other.',
    ],
    why: 'Both rates are over the same window and the same requests. Divided by http_requests_total it could pass 1.',
  },
  {
    id: 'p95',
    text: 'Write a query: within how many seconds were 95 % of all requests of the last 5 minutes answered?',
    solution: 'histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))',
    scenarios: ['traffic', 'failures', 'replicas', 'restart'],
    hints: [
      'histogram_quantile(0.95, buckets) reads buckets; they are http_request_duration_seconds_bucket, with the label le.',
      'Add up the rates of the buckets by le, and take the percentile of that sum. Never the average of percentiles.',
    ],
    why: 'Buckets can be added up over routes and replicas, percentiles cannot be averaged.',
  },
  {
    id: 'objective',
    text: 'Write a query: which share of the requests of the last 5 minutes took at most 250 ms?',
    solution:
      'sum(rate(http_request_duration_seconds_bucket{le="0.25"}[5m])) / sum(rate(http_request_duration_seconds_count[5m]))',
    scenarios: ['traffic', 'failures', 'replicas', 'restart'],
    hints: [
      'A bucket counts the requests that took at most le seconds, and there is one for 0.25.',
      'Its rate divided by that of http_request_duration_seconds_count, both as sums.',
    ],
    why: 'A bucket at the objective makes this exact, where a percentile is a guess within its bucket.',
  },
];
