/**
 * Takes the pictures of the dashboards anew, from the Grafana at hand: 1440 and 800 pixels wide, dark and light.
 * `node docs/test/draw-dashboards.ts [http://localhost:3000] [from] [to]`; needs Chromium and pngquant (Debian: chromium,
 * pngquant). What the pictures show is what the stack has just done; see docs/dashboards.md.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { startBrowser } from '../../testing/browser.ts';

const WIDTHS = [1440, 800];
const THEMES = ['dark', 'light'] as const;

const [base = 'http://localhost:3000', from = 'now-5m', to = 'now'] = process.argv.slice(2);
const folder = (name: string) => fileURLToPath(new URL(`../../${name}/`, import.meta.url));
const dashboards = readdirSync(folder('grafana/dashboards')).filter((file) => file.endsWith('.json'));

const browser = await startBrowser(process.env.TEST_CHROMIUM ?? '/usr/bin/chromium');
for (const file of dashboards) {
  const { uid } = JSON.parse(readFileSync(folder('grafana/dashboards') + file, 'utf8')) as { uid: string };
  for (const width of WIDTHS) for (const theme of THEMES) await draw(browser, uid, width, theme);
}
await browser.close();

async function draw(on: Browser, uid: string, width: number, theme: (typeof THEMES)[number]) {
  const page = await on.newPage({ viewport: { width, height: 900 }, colorScheme: theme });
  const words = new URLSearchParams({ from, to, theme, kiosk: 'true' });
  await page.goto(`${base}/d/${uid}?${words}`, { waitUntil: 'networkidle' });
  const grid = page.locator('.react-grid-layout');
  await grid.waitFor();
  // Panels below the edge are asked for when they come into view, so the window is made as high as the page.
  const box = await grid.boundingBox();
  await page.setViewportSize({ width, height: Math.ceil((box?.y ?? 0) + (box?.height ?? 0)) + 16 });
  await page.waitForLoadState('networkidle');
  // Charts are drawn a moment after their data has come.
  await page.waitForTimeout(2_000);
  const picture = await page.screenshot();
  const small = execFileSync('pngquant', ['--strip', '--quality', '40-90', '64', '-'], { input: picture });
  writeFileSync(`${folder('docs/pictures')}${uid}-${theme}-${width}.png`, small);
  process.stdout.write(`${uid} ${theme} ${width}: ${Math.round(small.length / 1024)} kB\n`);
  await page.close();
}
