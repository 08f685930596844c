// What a colour means, once for all panels and for the page of prometheus/consoles/. Chosen by calculation: a test keeps the
// members of each family apart for eyes with and without deuteranopia, and in sight on dark and light ground.

/** The class of an answer. Blue is well, red is our fault, orange is the client's mistake, grey is who left early. */
export const ANSWER_COLORS = { '2xx': '#3f83d6', '4xx': '#e0a020', '499': '#8e939c', '5xx': '#c4304b' } as const;

/** Percentiles are shades of one colour: the further out, the darker. */
export const QUANTILE_COLORS = { p50: '#7eb6f5', p95: '#3d86e0', p99: '#1f5cb8' } as const;

/** The routes of the lab's API, by the name that legends show. Routes of another API get Grafana's colour for their name. */
export const ROUTE_COLORS = {
  'get /products': '#286b83',
  'post /products': '#2d55b5',
  'get /cart': '#97460f',
  'post /cart': '#dca019',
  'get /cars': '#731cf2',
  'post /cars': '#c57fec',
  'get /cars/:id': '#acb8c8',
  'patch /cars/:id': '#adbc88',
  'delete /cars/:id': '#705648',
} as const;

/** How something is, where it can be said: states, thresholds and limits. */
export const STATE_COLORS = { well: '#3f83d6', watch: '#e0a020', bad: '#c4304b', none: '#8e939c' } as const;

/** A measurement, and what it is held against. */
export const PAIR_COLORS = { measured: '#3f83d6', expected: '#8e939c' } as const;

/** Windows of a burn rate, from the quickest, which moves first, to the slowest. */
export const WINDOW_COLORS = {
  '5m': '#9fd0ff',
  '30m': '#6aaef0',
  '1h': '#3f83d6',
  '2h': '#1f5cb8',
  '6h': '#b693e6',
  '1d': '#8a5cc8',
  '3d': '#5f3596',
} as const;
