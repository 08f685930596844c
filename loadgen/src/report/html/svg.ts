/**
 * A chart as SVG that fits every width: curves are stretched, while strokes and labels keep their size. Colours are variables of
 * page.css, so the same drawing works in light and dark themes and in print. Tooltips show the numbers under the pointer.
 */
import { html, type Markup } from './markup.ts';

export type Column = readonly (number | null)[];

export interface Line {
  readonly label: string;
  /** The name of its colour in page.css. */
  readonly color: string;
  readonly isDashed?: boolean;
  readonly values: Column;
}

export interface Axis {
  readonly range: readonly [low: number, high: number];
  readonly isLog: boolean;
  readonly format: (value: number) => string;
}

export interface Chart {
  readonly x: readonly number[];
  readonly lines: readonly Line[];
  readonly xAxis: Axis;
  readonly yAxis: Axis;
}

/** With more tooltips, the area of each would be narrower than the pointer. */
const MOST_HINTS = 80;

/** Coordinates are percentages of the plot, so that the labels next to the plot can use them too. */
export function drawChart({ x, lines, xAxis, yAxis }: Chart): Markup {
  const leftOf = (value: number) => percentOf(xAxis, value);
  const topOf = (value: number) => round(100 - percentOf(yAxis, value));
  const rows = ticksOf(yAxis).map((value) => ({ text: yAxis.format(value), top: topOf(value) }));
  const columns = ticksOf(xAxis).map((value) => ({ text: xAxis.format(value), left: leftOf(value) }));
  const grid = [...rows.map(({ top }) => `M0 ${top}h100`), ...columns.map(({ left }) => `M${left} 0v100`)];
  const names = lines.map(({ label }) => label).join(', ');
  return html`<div class="chart">
<p class="legend">${lines.map((line) => html`<span><svg width="24" height="4" aria-hidden="true"><path d="M2 2h20"${strokeOf(line)}/></svg>${line.label}</span>`)}</p>
<div class="plot"><svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="${names}">
<path class="grid" d="${grid.join('')}"/>
${lines.map((line) => html`<path d="${pathOf(x.map(leftOf), line.values, topOf)}"${strokeOf(line)}/>`)}${lines.map((line) => dotsOf(x.map(leftOf), line, topOf))}
${hintsOf({ x, lines, xAxis, yAxis })}</svg>
${rows.map(({ text, top }) => html`<span class="y" style="top:${top}%">${text}</span>`)}${columns.map(({ text, left }) => html`<span class="x" style="left:${left}%">${text}</span>`)}</div>
</div>`;
}

function strokeOf({ color, isDashed }: Line): Markup {
  return html` style="stroke:var(--${color})"${isDashed ? html` stroke-dasharray="6 4"` : undefined}`;
}

/** Single values between gaps, as visible dots: with the stroke width of a curve they would be too small to see. */
function dotsOf(left: readonly number[], line: Line, topOf: (value: number) => number): Markup | undefined {
  const isGap = (n: number) => typeof line.values[n] !== 'number';
  const alone = line.values.map((value, n) => (isGap(n - 1) && isGap(n + 1) ? value : null));
  const dots = pathOf(left, alone, topOf);
  return dots === ''
    ? undefined
    : html`<path d="${dots}" style="stroke:var(--${line.color});stroke-width:7"/>`;
}

/** A missing value is a gap. A value between gaps is a dot, drawn by the round ends of a line. */
function pathOf(left: readonly number[], values: Column, topOf: (value: number) => number): string {
  const commands = values.map((value, n) => {
    if (value === null) return '';
    const continues = n > 0 && values[n - 1] !== null;
    return `${continues ? 'L' : 'M'}${left[n]} ${topOf(value)}${continues ? '' : 'h0'}`;
  });
  return commands.join('');
}

/** Adjacent bands across the plot, each with the numbers of its middle point as a tooltip. */
function hintsOf({ x, lines, xAxis, yAxis }: Chart): Markup[] {
  const step = Math.ceil(x.length / MOST_HINTS);
  const shown = x.map((value, n) => ({ value, n })).filter(({ n }) => n % step === 0);
  const centres = shown.map(({ value }) => percentOf(xAxis, value));
  const edges = [0, ...centres.slice(1).map((at, k) => round((at + (centres[k] ?? 0)) / 2)), 100];
  return shown.map(({ value, n }, k) => {
    const numbers = lines.flatMap(({ label, values }) => {
      const own = values[n];
      return typeof own === 'number' ? [`${label} ${yAxis.format(own)}`] : [];
    });
    const [from = 0, to = 100] = edges.slice(k);
    return html`<rect x="${from}" width="${round(to - from)}" height="100"><title>${[xAxis.format(value), ...numbers].join('\n')}</title></rect>`;
  });
}

function percentOf({ range: [low, high], isLog }: Axis, value: number): number {
  const at = isLog ? Math.log10 : (n: number) => n;
  return round((100 * (at(value) - at(low))) / (at(high) - at(low)));
}

const MOST_STEPS = 6;

/** Logarithmic axis: the decades, subdivided if there are only a few. Linear axis: multiples of 1, 2 or 5. */
export function ticksOf({ range: [low, high], isLog }: Axis): number[] {
  const wholesBetween = (from: number, to: number) =>
    Array.from({ length: Math.floor(to - Math.ceil(from) + 1e-9) + 1 }, (_, n) => Math.ceil(from) + n);
  if (isLog) {
    const decades = wholesBetween(Math.log10(low), Math.log10(high));
    const parts = decades.length > 3 ? [1] : [1, 2, 5];
    const ticks = decades.flatMap((power) => parts.map((part) => part * 10 ** power));
    return ticks.filter((tick) => tick <= high);
  }
  const least = (high - low) / MOST_STEPS;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((part) => part * power).find((one) => one >= least) ?? least;
  return wholesBetween(low / step, high / step).map((n) => round(n * step));
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
