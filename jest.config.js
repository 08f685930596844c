import { availableParallelism } from 'node:os';

// `unit` needs only Node. `prom-client` repeats the tests that involve the client library with prom-client instead of
// @prometheus-io/client, and under Node 20, which only prom-client supports, all tests of the package. `integration` needs a
// container engine and the images that `make test` prepares. `faults` breaks stacks; the two of its files that take less than
// three minutes together also belong to `integration`.
const typescript = {
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } },
    ],
  },
  testEnvironment: 'node',
  modulePathIgnorePatterns: ['<rootDir>/(?!instrumentation/|loadgen/).*/dist/'],
};

export default {
  // Only ends hanging tests: durations depend on the machine's other load.
  testTimeout: 300_000,
  // More workers than cores, because many tests wait for sockets. Tests with containers wait for scrapes and get five (package.json).
  maxWorkers: availableParallelism() + 2,
  testSequencer: '<rootDir>/test/support/sequencer.js',
  projects: [
    {
      ...typescript,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/*/test/**/*.test.ts',
        '<rootDir>/test/{docs,kubernetes,prometheus,scripts}/*.test.ts',
      ],
      testPathIgnorePatterns: ['/node_modules/', '/test/faults/'],
    },
    {
      ...typescript,
      displayName: 'prom-client',
      testMatch: [
        process.version.startsWith('v20.')
          ? '<rootDir>/instrumentation/test/!(client).test.ts'
          : '<rootDir>/instrumentation/test/{answers,close,exactness,exemplars,hostile,instrument,invariant,last-scrape,options,protobuf,registry,routing,text}.test.ts',
      ],
      moduleNameMapper: { '^@prometheus-io/client$': '<rootDir>/node_modules/prom-client' },
    },
    {
      ...typescript,
      displayName: 'integration',
      testMatch: ['<rootDir>/test/integration/*.test.ts', '<rootDir>/test/faults/{killed,stopped}.test.ts'],
      setupFilesAfterEnv: ['<rootDir>/test/support/setup-containers.ts'],
    },
    {
      ...typescript,
      displayName: 'faults',
      testMatch: ['<rootDir>/test/faults/*.test.ts', '<rootDir>/instrumentation/test/faults/*.test.ts'],
      setupFilesAfterEnv: ['<rootDir>/test/support/setup-containers.ts'],
    },
  ],
};
