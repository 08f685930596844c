/** The machine's Chromium. */
import { type Browser, chromium } from 'playwright-core';
import { PATIENCE_MS } from './until.ts';

export function startBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    timeout: PATIENCE_MS,
    args: [
      // The sandbox needs a user namespace, which containers and root do not have; only this repository's pages are opened.
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
}
