// The name of a route and the target of a click on it, the same on every dashboard.
import { ROUTE_COLORS } from './colors.ts';
import { variable } from './promql.ts';

/** Legend of a series with the labels `method` and `path`; the keys of ROUTE_COLORS have this format. */
export const ROUTE_LEGEND = '{{method}} /{{path}}';

const title = 'Details of this route';
const url = (path: string, method: string) =>
  `/d/route?var-path=${path}&var-method=${method}&${variable('__url_time_range')}&${variable('datasource:queryparam')}&${variable('cluster:queryparam')}`;

/** For graphs: uses the labels of the clicked series. */
export const ROUTE_LINK = {
  title,
  url: url(variable('__field.labels.path'), variable('__field.labels.method')),
};

/** For tables: uses the cells of the clicked row, by their headings. */
export const ROUTE_ROW_LINK = {
  title,
  url: url(variable('__data.fields.Path'), variable('__data.fields.Method')),
};

/** Settings of a graph with one line per route. */
export const BY_ROUTE = { colors: ROUTE_COLORS, link: ROUTE_LINK };
