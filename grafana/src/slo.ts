// The numbers of prometheus/rules/slo.yml that panels draw as limits. The rules are the truth; a test keeps the two equal.

/** A response that takes longer than this burns the latency budget. Also an edge of the API's histogram. */
export const LATENCY_OBJECTIVE_SECONDS = 0.25;
