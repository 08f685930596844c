// @ts-check
// Draws the charts of a report page. uPlot and this file stand in the page as they are; the data does too.
/** @typedef {import('uplot')} uPlot */
/** @typedef {(number | null)[]} Column */
/** @typedef {import('../src/report/html/charts.ts').PhaseCharts} PhaseCharts */
/** @typedef {{ label: string, color: string, dash?: number[], values: Column, width?: number }} Line */
/** @typedef {{ x: number[], lines: Line[], yLog: boolean, xLog: boolean, xText: (value: number) => string, yText: (value: number) => string, yRange?: [number, number] | undefined }} Chart */
(() => {
  /** @type {typeof import('uplot')} */
  const Plot = Reflect.get(window, 'uPlot');

  /** @type {PhaseCharts[][]} */
  const runs = JSON.parse(document.getElementById('charts')?.textContent ?? '[]');
  const HEIGHT = { wide: 260, narrow: 220 };
  const PERCENTILES = /** @type {const} */ (['p50', 'p90', 'p99', 'max']);

  /** @param {number} ms */
  function formatMs(ms) {
    if (ms < 1) return `${Math.round(ms * 1000)}us`;
    if (ms < 1000) return `${Number(ms.toPrecision(3))}ms`;
    return `${Number((ms / 1000).toPrecision(3))}s`;
  }

  /** @param {number} seconds */
  function formatTime(seconds) {
    return seconds < 60 || seconds % 1 !== 0
      ? `${Number(seconds.toPrecision(4))}s`
      : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  }

  /** @param {number} oneIn */
  function formatPercentile(oneIn) {
    return `${Number((100 * (1 - 1 / oneIn)).toPrecision(Math.ceil(Math.log10(oneIn)) + 1))}%`;
  }

  /** @param {number} value */
  function formatRate(value) {
    return value >= 1000 ? `${Number((value / 1000).toPrecision(3))}k` : String(Number(value.toPrecision(3)));
  }

  /** @param {PhaseCharts} phase @returns {Chart} */
  function rates({ time, rates: columns }) {
    const names = /** @type {const} */ (['asked', 'sent', 'answered', 'errors', 'dropped']);
    const lines = names
      .filter((name) => columns[name].some((value) => value !== null))
      .map((name) => ({
        label: name,
        color: name,
        values: [...columns[name]],
        ...(name === 'asked' ? { dash: [6, 4], width: 2 } : {}),
      }));
    return { x: [...time], lines, yLog: false, xLog: false, xText: formatTime, yText: formatRate };
  }

  /** Both pictures have one scale, or the eye would be deceived. @param {PhaseCharts} phase @param {'latency' | 'serviceTime'} kind @returns {Chart} */
  function durations(phase, kind) {
    const lines = PERCENTILES.map((name) => ({ label: name, color: name, values: [...phase[kind][name]] }));
    const all = /** @type {const} */ (['latency', 'serviceTime']).flatMap((one) =>
      PERCENTILES.flatMap((name) => [...phase[one][name]]),
    );
    return {
      x: [...phase.time],
      lines,
      yLog: true,
      xLog: false,
      xText: formatTime,
      yText: formatMs,
      yRange: rangeOf(all),
    };
  }

  /** @param {PhaseCharts} phase @returns {Chart} */
  function distribution({ distribution: { oneIn, latency, serviceTime } }) {
    const lines = [
      { label: 'latency', color: 'errors', values: [...latency], width: 2 },
      { label: 'service time', color: 'sent', values: [...serviceTime], width: 2 },
    ];
    return curves([...oneIn], lines);
  }

  /** @param {PhaseCharts} a @param {PhaseCharts} b @param {'latency' | 'serviceTime'} kind @returns {Chart} */
  function comparison(a, b, kind) {
    const [x, one, other] = Plot.join([
      [[...a.distribution.oneIn], [...a.distribution[kind]]],
      [[...b.distribution.oneIn], [...b.distribution[kind]]],
    ]);
    return curves(/** @type {number[]} */ (x), [
      { label: 'A', color: 'sent', values: /** @type {Column} */ (one), width: 2 },
      { label: 'B', color: 'p99', values: /** @type {Column} */ (other), width: 2, dash: [8, 4] },
    ]);
  }

  /** @param {number[]} x @param {Line[]} lines @returns {Chart} */
  function curves(x, lines) {
    const yRange = rangeOf(lines.flatMap(({ values }) => values));
    return { x, lines, yLog: true, xLog: true, xText: formatPercentile, yText: formatMs, yRange };
  }

  /** Whole decades around the values. @param {Column} values @returns {[number, number] | undefined} */
  function rangeOf(values) {
    // A table that was joined has undefined where one of its parts has no row.
    const known = values.filter((value) => typeof value === 'number');
    if (known.length === 0) return undefined;
    const low = Math.floor(Math.log10(Math.min(...known)));
    const high = Math.ceil(Math.log10(Math.max(...known)));
    return [10 ** low, 10 ** Math.max(high, low + 1)];
  }

  /** @param {HTMLElement} element @param {Chart} chart */
  function draw(element, chart) {
    const style = getComputedStyle(document.documentElement);
    const color = (/** @type {string} */ name) => toColor(style, name);
    const axis = {
      stroke: color('text'),
      grid: { stroke: color('line'), width: 1 },
      ticks: { stroke: color('line'), width: 1 },
    };
    const width = element.clientWidth;
    const [low, high] = chart.yRange ?? [0, 1];
    const plot = new Plot(
      {
        width,
        height: width < 480 ? HEIGHT.narrow : HEIGHT.wide,
        scales: {
          x: { time: false, distr: chart.xLog ? 3 : 1 },
          y: chart.yLog
            ? { distr: 3, range: () => [low, high] }
            : { range: (_, __, max) => [0, (max || 1) * 1.08] },
        },
        legend: { live: true },
        cursor: { drag: { x: false, y: false } },
        series: [
          {
            label: chart.xLog ? 'percentile' : 'time',
            value: (_, value) => (value === null ? '-' : chart.xText(value)),
          },
          ...chart.lines.map(({ label, color: name, dash, width: lineWidth = 1.5 }) => ({
            label,
            stroke: color(name),
            width: lineWidth,
            ...(dash ? { dash } : {}),
            spanGaps: false,
            points: {
              show: true,
              size: 5,
              filter: (/** @type {uPlot} */ plot, /** @type {number} */ n) => lonely(plot.data[n] ?? []),
            },
            value: (/** @type {uPlot} */ _, /** @type {number | null} */ value) =>
              value === null ? '-' : chart.yText(value),
          })),
        ],
        axes: [
          { ...axis, values: (_, ticks) => ticks.map((tick) => (tick === null ? null : chart.xText(tick))) },
          {
            ...axis,
            size: 62,
            values: (_, ticks) => ticks.map((tick) => (tick === null ? null : chart.yText(tick))),
          },
        ],
      },
      /** @type {import('uplot').AlignedData} */ ([chart.x, ...chart.lines.map(({ values }) => values)]),
      element,
    );
    return plot;
  }

  /** Values between gaps, which no line would show. @param {ArrayLike<number | null | undefined>} values */
  function lonely(values) {
    const isKnown = (/** @type {number} */ n) => values[n] !== null && values[n] !== undefined;
    return Array.from(values, (_, n) => n).filter((n) => isKnown(n) && !isKnown(n - 1) && !isKnown(n + 1));
  }

  /** A canvas does not know light-dark(): the browser resolves it on an element. @param {CSSStyleDeclaration} style @param {string} name */
  function toColor(style, name) {
    const probe = document.createElement('i');
    probe.style.color = style.getPropertyValue(`--${name}`);
    document.body.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }

  /** @param {HTMLElement} element @returns {Chart | undefined} */
  function chartOf({ dataset }) {
    if (dataset.compare !== undefined) {
      const [a, b] = runs.map((phases) => phases[Number(dataset.compare)]);
      return a && b && comparison(a, b, dataset.kind === 'latency' ? 'latency' : 'serviceTime');
    }
    const [run, index] = (dataset.phase ?? '').split('-').map(Number);
    const phase = runs[run ?? 0]?.[index ?? 0];
    if (phase === undefined) return undefined;
    if (dataset.kind === 'rates') return rates(phase);
    if (dataset.kind === 'distribution') return distribution(phase);
    return durations(phase, dataset.kind === 'latency' ? 'latency' : 'serviceTime');
  }

  /** @type {{ element: HTMLElement, chart: Chart, plot: uPlot }[]} */
  const drawn = [];
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.chart'))) {
    const chart = chartOf(element);
    if (chart === undefined) continue;
    if (chart.lines.every(({ values }) => values.every((value) => value === null))) {
      element.textContent = 'nothing was measured';
      continue;
    }
    drawn.push({ element, chart, plot: draw(element, chart) });
  }

  function redraw() {
    for (const one of drawn) {
      one.plot.destroy();
      one.plot = draw(one.element, one.chart);
    }
  }
  // The colours of a canvas do not follow the style sheet by themselves.
  for (const query of ['(prefers-color-scheme: dark)', 'print']) {
    matchMedia(query).addEventListener('change', redraw);
  }
  let width = innerWidth;
  addEventListener('resize', () => {
    if (innerWidth !== width) redraw();
    width = innerWidth;
  });
})();
