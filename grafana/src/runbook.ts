// The runbook as a dashboard, one panel a section, so that a panel or an alert can lead to the section that it needs on every
// machine that has Grafana. The text is that of docs/runbook.md.
import { readFileSync } from 'node:fs';
import { PanelBuilder as Text, TextMode } from '@grafana/grafana-foundation-sdk/text';
import { createDashboard } from './dashboard.ts';

const UID = 'runbook';
const [preface = '', ...sections] = readFileSync(
  new URL('../../docs/runbook.md', import.meta.url),
  'utf8',
).split(/^## /m);
const titled = [
  { title: 'First', text: preface.replace(/^# .*\n+/, '') },
  ...sections.map((section) => ({
    title: section.slice(0, section.indexOf('\n')),
    text: section.slice(section.indexOf('\n')),
  })),
];

/** A link to the section of the runbook about an alert. */
export function runbook(alert: string): string {
  const index = titled.findIndex(({ title }) => title === alert);
  if (index < 1) throw new Error(`docs/runbook.md: expected a section "${alert}"`);
  // The dashboard's heading has id 1.
  return `[runbook: ${alert}](/d/${UID}?viewPanel=${index + 2})`;
}

/** Lines of a panel as wide as a window of 1,000 pixels. */
const height = (text: string) =>
  Math.ceil(text.split('\n').reduce((rows, line) => rows + Math.max(1, line.length / 130), 3) * 0.55);

export const runbookDashboard = () =>
  createDashboard({
    uid: UID,
    title: 'Runbook',
    description: 'What each alert means, what to look at and what to do: docs/runbook.md.',
    rows: [
      {
        title: 'One section for each alert',
        panels: titled.map(({ title, text }) =>
          new Text()
            .title(title)
            .span(24)
            .height(Math.max(4, height(text)))
            .mode(TextMode.Markdown)
            .content(text.trim()),
        ),
      },
    ],
  });
