/** The questions with their solutions, in the order of the labs and of docs/tutorial.md. */
import type { ScenarioName } from './scenarios.ts';

interface Common {
  id: string;
  text: string;
  solution: string;
  /** Ordered from a small hint to almost the solution. */
  hints: readonly string[];
  /** Shown after a correct answer, and with the solution. */
  why: string;
}

/** The answer is a query, or alternatively a number if that number is stable (`acceptsNumber`). */
export interface QueryQuestion extends Common {
  acceptsNumber?: boolean;
  /** Labels that are part of the answer. Without them, only values are compared. */
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
    text: 'How many requests did the routes handle in total?',
    solution: 'sum(http_requests_total)',
    scenarios: ['traffic', 'replicas'],
    hints: [
      'The counter is http_requests_total; it has one series per path and method.',
      'An aggregation turns many series into one number: sum(...).',
    ],
    why: 'Each replica has a series for each pair of path and method, and sum() adds them all.',
  },
  {
    id: 'busiest',
    labels: ['path', 'method'],
    text: 'Which path and method received the most requests? (two words, or a query whose result has these labels)',
    solution: 'topk(1, sum by (path, method) (http_requests_total))',
    scenarios: ['traffic', 'replicas'],
    hints: [
      'Look for the largest value of http_requests_total.',
      'topk(1, ...) keeps the largest series; first add up the replicas with sum by (path, method) (...).',
    ],
    why: 'topk(1, ...) keeps the largest series with its labels; max() would keep only its value.',
  },
  {
    id: 'errors',
    acceptsNumber: true,
    text: 'How many responses were errors, with any status code?',
    solution: 'sum(http_errors_total)',
    scenarios: ['traffic', 'failures', 'replicas'],
    hints: [
      'Errors have their own counter, with the label code.',
      'The counter is http_errors_total; add up all its codes.',
    ],
    why: 'Now they are all 404. The sum stays correct when a handler fails (500) or a client disconnects (499).',
  },
  {
    id: 'gauge',
    text: 'Which type of metric fits the number of requests that are being handled at this moment?',
    choices: { counter: 'only goes up', gauge: 'goes up and down', histogram: 'sorts values into buckets' },
    solution: 'gauge',
    hints: ['What happens to the number when a request ends?'],
    why: 'It goes up when a request starts and down when it ends; a counter never goes down.',
  },
  {
    id: 'in-progress',
    acceptsNumber: true,
    text: 'How many requests are in progress right now?',
    solution: 'sum(inprogress_requests)',
    scenarios: ['traffic', 'replicas'],
    hints: [
      'It is a gauge: its value is the answer, without rate().',
      'The gauge is inprogress_requests; add up all replicas.',
    ],
    why: 'A gauge is used as it is. If it returns to 0 without traffic, every request that started has also ended.',
  },
  {
    id: 'up',
    text: 'Write a query: how many processes of the API can Prometheus scrape?',
    solution: 'sum(up{job="api"})',
    scenarios: ['replicas', 'down'],
    hints: [
      'For each process that it scrapes (a target), Prometheus itself creates a series named up. Its value is 1 or 0.',
      'Select the job "api" and add up the values; count() would include the targets that are down.',
    ],
    why: 'up is 1 if the last scrape succeeded and 0 if it failed, so the sum is the number of working targets.',
  },
  {
    id: 'rate',
    text: 'Write a query: how many requests per second did the routes handle, over the last minute?',
    solution: 'sum(rate(http_requests_total[1m]))',
    scenarios: ['traffic', 'replicas', 'restart'],
    hints: [
      'rate(counter[window]) is the increase per second over the window.',
      'First take the rate of each series, then the sum: sum(rate(http_requests_total[1m])).',
    ],
    why: 'rate() detects when a counter restarts and corrects for it, which only works before the sum.',
  },
  {
    id: 'error-ratio',
    text: 'Write a query: what share of the requests of the last 5 minutes were errors? Include requests that matched no route.',
    solution: 'sum(rate(http_errors_total[5m])) / sum(rate(http_request_duration_seconds_count[5m]))',
    scenarios: ['traffic', 'failures', 'replicas', 'restart'],
    hints: [
      'http_requests_total lacks requests that matched no route. http_request_duration_seconds_count has every request.',
      'Divide one sum(rate(...[5m])) by another.',
    ],
    why: 'Both rates cover the same window and the same requests. Divided by http_requests_total, the ratio could exceed 1.',
  },
  {
    id: 'p95',
    text: 'Write a query: within how many seconds did 95 % of all requests of the last 5 minutes finish?',
    solution: 'histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))',
    scenarios: ['traffic', 'failures', 'replicas', 'restart'],
    hints: [
      'histogram_quantile(0.95, ...) needs buckets: http_request_duration_seconds_bucket, with the label le.',
      'Add up the rates of the buckets by le, and take the percentile of that sum. Never average percentiles.',
    ],
    why: 'Buckets can be added up over routes and replicas; percentiles cannot be averaged.',
  },
  {
    id: 'objective',
    text: 'Write a query: what share of the requests of the last 5 minutes took at most 250 ms?',
    solution:
      'sum(rate(http_request_duration_seconds_bucket{le="0.25"}[5m])) / sum(rate(http_request_duration_seconds_count[5m]))',
    scenarios: ['traffic', 'failures', 'replicas', 'restart'],
    hints: [
      'A bucket counts the requests that took at most le seconds, and there is one with le="0.25".',
      'Divide the sum of its rates by the sum of the rates of http_request_duration_seconds_count.',
    ],
    why: 'A bucket ends exactly at 250 ms, so the share is exact; a percentile is only interpolated within its bucket.',
  },
];
