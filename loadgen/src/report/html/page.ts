/**
 * A run as a page: one file that needs nothing else, with the JSON of its report inside. Text and tables are made here,
 * so that they are there without scripts; only the charts are drawn in the browser, by uPlot and loadgen/page/charts.js.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Report } from '../report.ts';
import { toCharts } from './charts.ts';
import { comparisonSection } from './comparison.ts';
import { html, Markup, scriptJson } from './markup.ts';
import {
  latencySection,
  phaseSection,
  planSection,
  verdictSection,
  verificationSection,
} from './sections.ts';

const require = createRequire(import.meta.url);
/** A pattern may hold thousands; the report in JSON has them all. */
const MOST_TARGETS = 100;
const PAGE = new URL('../../../page/', import.meta.url);

/** @param reports one, or two to compare */
export async function renderPage(reports: readonly [Report] | readonly [Report, Report]): Promise<string> {
  const [a, b] = reports;
  const assets = await readAssets();
  const charts = reports.map((report) => report.phases.map((phase) => toCharts(phase, report)));
  const title = `${a.phases.map(({ pattern }) => pattern).join(', ') || 'nothing'} on ${a.target}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>${title} - loadgen</title>
<style>${assets.styles}</style>
</head>
<body>
<header><h1>${title}</h1><p>${a.startedAt}${b === undefined ? undefined : `, compared with ${b.startedAt}`}</p></header>
<main>
${b === undefined ? undefined : comparisonSection(a, b)}
${reports.map((report, n) => runSection(report, b === undefined ? undefined : ['A', 'B'][n], n))}
</main>
<script type="application/json" id="report">${scriptJson(b === undefined ? shorten(a) : reports.map(shorten))}</script>
<script type="application/json" id="charts">${scriptJson(charts)}</script>
<script>${assets.library}</script>
<script>${assets.charts}</script>
</body>
</html>
`;
  return page.text;
}

function runSection(report: Report, name: string | undefined, n: number): Markup {
  const content = html`${verdictSection(report)}
${report.phases.map((phase, index) => phaseSection(phase, `${n}-${index}`))}
${verificationSection(report)}
${latencySection(report.latency)}
${planSection(report)}`;
  if (name === undefined) return content;
  return html`<article><h2 class="run">Run ${name}</h2>${content}</article>`;
}

/** The course over time is in the charts' columns already; its histograms, and those by target, would be most of the page. */
function shorten(report: Report): Report {
  const phases = report.phases.map((phase) => ({
    ...phase,
    plan: { ...phase.plan, targets: phase.plan.targets.slice(0, MOST_TARGETS) },
    byTarget: phase.byTarget.map((line) => ({ ...line, serviceTime: '' })),
    timeline: { ...phase.timeline, points: [] },
  }));
  return { ...report, phases };
}

async function readAssets(): Promise<Record<'styles' | 'library' | 'charts', Markup>> {
  const [uplotStyles, styles, library, charts] = await Promise.all([
    readFile(require.resolve('uplot/dist/uPlot.min.css'), 'utf8'),
    readFile(new URL('page.css', PAGE), 'utf8'),
    readFile(require.resolve('uplot/dist/uPlot.iife.min.js'), 'utf8'),
    readFile(new URL('charts.js', PAGE), 'utf8'),
  ]);
  return {
    styles: new Markup(`${uplotStyles}\n${styles}`),
    library: new Markup(library),
    charts: new Markup(charts),
  };
}
