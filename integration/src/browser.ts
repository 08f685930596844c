// Chromium of the machine, for tests that look at a page as a person does. It is not a dependency: where there is none, the
// tests that need it say so.
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The path of a Chromium: what CHROMIUM says, or where distributions put it. */
export const chromiumPath = process.env.CHROMIUM ?? PLACES.find((path) => existsSync(path));

export function startBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      // The sandbox needs a user namespace, which containers and root do not have; only this repository's pages are opened.
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
}
