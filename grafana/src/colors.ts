// What a colour means, once for all panels and for the page of prometheus/consoles/. Chosen by calculation: a test keeps the
// members of each family apart for eyes with and without deuteranopia, and in sight on dark and light ground.

/** The class of an answer. Blue: well. Red: a fault of the API. Orange: a mistake of the client. Grey: the client left early. */
export const ANSWER_COLORS = {
  '2xx': '#3f83d6',
  '4xx': '#e0a020',
  '499': '#8e939c',
  '5xx': '#c4304b',
} as const;

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
export const STATE_COLORS = {
  well: '#3f83d6',
  watch: '#e0a020',
  bad: '#c4304b',
  none: '#8e939c',
  // Light enough to read a graph through it.
  page: '#e3a3ae',
} as const;

/** A measurement, and what it is held against. */
export const PAIR_COLORS = { measured: '#3f83d6', expected: '#8e939c' } as const;

/** Windows of a burn rate: the quick ones are shades of blue, the slow ones of brown; within each, the longer the darker. */
export const WINDOW_COLORS = {
  '5m': '#9fd0ff',
  '30m': '#6aaef0',
  '1h': '#3f83d6',
  '2h': '#1f5cb8',
  '6h': '#e8c170',
  '1d': '#b9812a',
  '3d': '#7a4a12',
} as const;

/** Series that have no colour of their own, in the order in which a panel lists them. */
const SERIES_COLORS = ['#3f83d6', '#dca019', '#705648', '#acb8c8', '#731cf2', '#286b83'] as const;

/** Colours for the series of a panel that are known by name. */
export function inOrder(...names: string[]): Record<string, string> {
  return Object.fromEntries(
    names.map((name, i) => [name, SERIES_COLORS[i % SERIES_COLORS.length] as string]),
  );
}
