/**
 * Chromium of the machine, for tests that look at a page as a person does. `make test` names it in TEST_CHROMIUM, or says that
 * there is none; the tests that need it are then left out.
 */
import { type Browser, chromium } from 'playwright-core';

export const chromiumPath = process.env.TEST_CHROMIUM;

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
