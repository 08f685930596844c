// How a route is called and where a click on it leads, the same on every dashboard.
import { ROUTE_COLORS } from './colors.ts';
import { variable } from './promql.ts';

/** Legend of a series that has the labels `method` and `path`; ROUTE_COLORS knows the lab's routes by it. */
export const ROUTE_LEGEND = '{{method}} /{{path}}';

const title = 'This route alone';
const url = (path: string, method: string) =>
  `/d/route?var-path=${path}&var-method=${method}&${variable('__url_time_range')}&${variable('datasource:queryparam')}&${variable('cluster:queryparam')}`;

/** For graphs: the labels of the series that was clicked on. */
export const ROUTE_LINK = {
  title,
  url: url(variable('__field.labels.path'), variable('__field.labels.method')),
};

/** For tables: the cells of the row that was clicked on, by their headings. */
export const ROUTE_ROW_LINK = {
  title,
  url: url(variable('__data.fields.Path'), variable('__data.fields.Method')),
};

/** Of a graph with a line for each route. */
export const BY_ROUTE = { colors: ROUTE_COLORS, link: ROUTE_LINK };
