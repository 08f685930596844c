/** A run as a page: one self-contained file without scripts. */
import { readFile } from 'node:fs/promises';
import type { Report } from '../report.ts';
import { comparisonSection } from './comparison.ts';
import { html, Markup } from './markup.ts';
import {
  latencySection,
  phaseSection,
  planSection,
  verdictSection,
  verificationSection,
} from './sections.ts';

const STYLES = new URL('../../../page/page.css', import.meta.url);

/** @param reports one report, or two to compare */
export async function renderPage([a, b]: readonly [Report] | readonly [Report, Report]): Promise<string> {
  const title = `${a.phases.map(({ pattern }) => pattern).join(', ') || 'nothing'} on ${a.target}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>${title} - exact-load</title>
<style>${new Markup(await readFile(STYLES, 'utf8'))}</style>
</head>
<body>
<header><h1>${title}</h1><p>${a.startedAt}${b === undefined ? undefined : `, compared with ${b.startedAt}`}</p></header>
<main>
${b === undefined ? runContent(a) : [comparisonSection(a, b), runArticle('A', a), runArticle('B', b)]}
</main>
</body>
</html>
`;
  return page.text;
}

function runArticle(name: string, report: Report): Markup {
  return html`<article><h2 class="run">Run ${name}</h2>${runContent(report)}</article>`;
}

function runContent(report: Report): Markup {
  return html`${verdictSection(report)}
${report.phases.map((phase) => phaseSection(phase, report.shard.of))}
${verificationSection(report)}
${latencySection(report.latency)}
${planSection(report)}`;
}
