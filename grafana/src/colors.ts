// The meaning of each colour, for all panels and for the page in prometheus/consoles/. A test computes that the colours of one
// family are distinguishable with and without deuteranopia, and visible on dark and light backgrounds.

/** Status classes. Blue: success. Red: the API failed. Orange: client error. Grey: the client disconnected early. */
export const ANSWER_COLORS = {
  '2xx': '#3f83d6',
  '4xx': '#e0a020',
  '499': '#8e939c',
  '5xx': '#c4304b',
} as const;

/** Percentiles are shades of one colour; higher percentiles are darker. */
export const QUANTILE_COLORS = { p50: '#7eb6f5', p95: '#3d86e0', p99: '#1f5cb8' } as const;

/** The routes of the demo API, by the name that legends show. Routes of other APIs get a colour from Grafana's palette. */
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

/** Colours of states, thresholds and limits. */
export const STATE_COLORS = {
  well: '#3f83d6',
  watch: '#e0a020',
  bad: '#c4304b',
  none: '#8e939c',
  // Light enough that a graph stays readable under it.
  page: '#e3a3ae',
} as const;

/** A measured value and its expected value. */
export const PAIR_COLORS = { measured: '#3f83d6', expected: '#8e939c' } as const;

/** Windows of a burn rate: short ones are shades of blue, long ones shades of brown, each darker as the window grows. */
export const WINDOW_COLORS = {
  '5m': '#9fd0ff',
  '30m': '#6aaef0',
  '1h': '#3f83d6',
  '2h': '#1f5cb8',
  '6h': '#e8c170',
  '1d': '#b9812a',
  '3d': '#7a4a12',
} as const;

/** For series without a fixed colour, in the order in which a panel lists them. */
const SERIES_COLORS = ['#3f83d6', '#dca019', '#705648', '#acb8c8', '#731cf2', '#286b83'] as const;

/** Assigns colours to the named series of a panel. */
export function inOrder(...names: string[]): Record<string, string> {
  return Object.fromEntries(
    names.map((name, i) => [name, SERIES_COLORS[i % SERIES_COLORS.length] as string]),
  );
}
