// docs/runbook.md as a dashboard with one panel per section, so that panels and alerts can link to a section on every machine
// that has Grafana.
import { readFileSync } from 'node:fs';
import { PanelBuilder as Text, TextMode } from '@grafana/grafana-foundation-sdk/text';
import { createDashboard } from './dashboard.ts';

const UID = 'runbook';
const [preface = '', ...sections] = readFileSync(
  new URL('../../docs/runbook.md', import.meta.url),
  'utf8',
).split(/^## /m);
const titled = [
  { title: 'Start here', text: preface.replace(/^# .*\n+/, '') },
  ...sections.map((section) => ({
    title: section.slice(0, section.indexOf('\n')),
    text: section.slice(section.indexOf('\n')),
  })),
];

/** Returns a link to the runbook's section about an alert. @throws if there is no such section */
export function runbook(alert: string): string {
  const index = titled.findIndex(({ title }) => title === alert);
  if (index < 1) throw new Error(`docs/runbook.md: expected a section "${alert}"`);
  // The dashboard's heading has id 1.
  return `[runbook: ${alert}](/d/${UID}?viewPanel=${index + 2})`;
}

/** Links open one section alone. */
const COMMANDS = `How to see logs and states, restart, and change limits: [Start here](/d/${UID}?viewPanel=2).`;

/** Height of a text, in rows of the grid, in a window that is 1,000 pixels wide. */
const height = (text: string) =>
  Math.ceil(text.split('\n').reduce((rows, line) => rows + Math.max(1, line.length / 130), 3) * 0.55);

export const runbookDashboard = () =>
  createDashboard({
    uid: UID,
    title: 'Runbook',
    description: 'What each alert means, what to check and what to do. The text is docs/runbook.md.',
    rows: [
      {
        title: 'One section per alert',
        panels: titled.map(({ title, text }, index) =>
          new Text()
            .title(title)
            .span(24)
            .height(Math.max(4, height(text)))
            .mode(TextMode.Markdown)
            .content(index === 0 ? text.trim() : `${text.trim()}\n\n${COMMANDS}`),
        ),
      },
    ],
  });
