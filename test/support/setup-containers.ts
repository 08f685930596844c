/** Tests of containers: a limit that only ends what hangs, because how long one takes depends on what else the machine does. */
import { jest } from '@jest/globals';

jest.setTimeout(600_000);
