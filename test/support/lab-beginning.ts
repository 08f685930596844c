/** The beginning of `make lab` on a stack that has received the traffic of the lab: what a learner types, and a part of the answer. */
export const LAB_BEGINNING = [
  ['hint', 'http_requests_total'],
  ['99', 'Incorrect. 99 is not'],
  ['sum(', 'unclosed left parenthesis'],
  ['http_requests_total', 'Expected one number'],
  ['sum(http_requests_total{path=~"products|cart"})', 'by coincidence'],
  ['100', 'Correct. That is what sum(http_requests_total) answers now.'],
  ['get cart', 'another one received more'],
  ['topk(1, http_requests_total)', 'There are two replicas'],
  ['post products', 'Correct. It received 40.'],
  ['vector(33)', 'it returns 33, and 216 is correct'],
  ['sum(http_errors_total)', 'Correct. Your Prometheus answers 33.'],
] as const;
