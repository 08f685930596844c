/**
 * Takes the pictures of the dashboards for docs/dashboards.md from a running Grafana: one dark, one light.
 * `node tools/generators/draw-dashboards.ts [http://localhost:3000] [from] [to]`; needs Chromium and pngquant (Debian: chromium,
 * pngquant). The pictures show the latest activity of the stack; see docs/dashboards.md.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { startBrowser } from '../../test/support/browser.ts';

const WIDTH = 1440;
const THEMES = ['dark', 'light'] as const;

const [base = 'http://localhost:3000', from = 'now-5m', to = 'now'] = process.argv.slice(2);
const folder = (name: string) => fileURLToPath(new URL(`../../${name}/`, import.meta.url));
const dashboards = readdirSync(folder('grafana/dashboards')).filter((file) => file.endsWith('.json'));

const browser = await startBrowser(process.env.TEST_CHROMIUM ?? '/usr/bin/chromium');
for (const file of dashboards) {
  const { uid } = JSON.parse(readFileSync(folder('grafana/dashboards') + file, 'utf8')) as { uid: string };
  // Not the runbook, whose text is in docs/runbook.md.
  if (uid !== 'runbook') for (const theme of THEMES) await draw(browser, uid, theme);
}
await browser.close();

async function draw(on: Browser, uid: string, theme: (typeof THEMES)[number]) {
  const page = await on.newPage({ viewport: { width: WIDTH, height: 900 }, colorScheme: theme });
  const words = new URLSearchParams({ from, to, theme, kiosk: 'true' });
  await page.goto(`${base}/d/${uid}?${words}`, { waitUntil: 'load' });
  const grid = page.locator('.react-grid-layout');
  await grid.waitFor();
  // Grafana loads panels when they become visible, so the window must be as high as the page.
  const box = await grid.boundingBox();
  await page.setViewportSize({ width: WIDTH, height: Math.ceil((box?.y ?? 0) + (box?.height ?? 0)) + 16 });
  // Grafana keeps a connection open, so the network is never idle. Charts are drawn shortly after their data has arrived.
  await page.waitForTimeout(7_000);
  const picture = await page.screenshot();
  const small = execFileSync('pngquant', ['--strip', '--quality', '40-90', '64', '-'], { input: picture });
  writeFileSync(`${folder('docs/pictures')}${uid}-${theme}-${WIDTH}.png`, small);
  process.stdout.write(`${uid} ${theme}: ${Math.round(small.length / 1024)} kB\n`);
  await page.close();
}
