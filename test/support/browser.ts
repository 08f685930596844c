/** The machine's Chromium. */
import { type Browser, chromium } from 'playwright-core';

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
