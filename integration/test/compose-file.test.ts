// What Compose makes of docker-compose.yml and a setting: no container is started.
import { expect, it } from '@jest/globals';
import { composeConfig } from '../src/commands.ts';

it.each([
  ['10000', '15s'],
  ['30000', '35s'],
  ['1500', '6.5s'],
])(
  'an API that may take %s ms to end its requests is ended no earlier than after %s',
  async (grace, period) => {
    const { services } = await composeConfig({ SHUTDOWN_GRACE_MS: grace });
    expect(services.api?.stop_grace_period).toBe(period);
  },
);
