/** Tests with containers: a limit that only ends hanging tests, because durations depend on the machine's other load. */
import { jest } from '@jest/globals';

jest.setTimeout(600_000);
