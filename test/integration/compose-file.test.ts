// What Compose makes of docker-compose.yml and a setting: no container is started.
import { expect, it } from '@jest/globals';
import { composeConfig } from '../support/commands.ts';

it.each([
  ['10000', '10000', '25s'],
  ['30000', '10000', '45s'],
  ['1500', '0', '6.5s'],
])(
  'an API that may take %s ms to end its requests, and %s ms for a last scrape, is ended no earlier than after %s',
  async (grace, scrapeWait, period) => {
    const { services } = await composeConfig({
      SHUTDOWN_GRACE_MS: grace,
      SHUTDOWN_SCRAPE_WAIT_MS: scrapeWait,
    });
    expect(services.api?.stop_grace_period).toBe(period);
  },
);
