/** Tests in a browser. `make test` sets TEST_CHROMIUM, or reports at its end that there is none and these tests were skipped. */
import { afterAll, afterEach, beforeAll, describe } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { startBrowser } from './browser.ts';

const chromiumPath = process.env.TEST_CHROMIUM;

/** A group of tests with one browser, available from `beforeAll` on; the pages of each test are closed after it. */
export function describeInBrowser(title: string, tests: (browser: () => Browser) => void): void {
  const group = chromiumPath === undefined ? describe.skip : describe;
  group(title, () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await startBrowser(chromiumPath ?? '');
    });
    afterEach(async () => {
      for (const context of browser.contexts()) await context.close();
    });
    afterAll(() => browser?.close());
    tests(() => browser);
  });
}
