import { swcOptions } from './test/support/swc.mjs';

/** Two projects: `unit` beside the pure code it tests, `postgres` through the real app on a real database. */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^@belay/([a-z]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: { '^.+\\.ts$': ['@swc/jest', swcOptions] },
};

export default {
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/libs/**/*.spec.ts', '<rootDir>/apps/**/*.spec.ts'] },
    {
      ...shared,
      displayName: 'postgres',
      testMatch: ['<rootDir>/test/**/*.spec.ts'],
      globalSetup: '<rootDir>/test/support/global-setup.mjs',
      globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
    },
  ],
  reporters: ['default', '<rootDir>/test/support/skipped.reporter.mjs'],
  testTimeout: 30_000,
  // As many suites at once as there are cores: half of a suite's time is somebody else's, PostgreSQL's above all.
  maxWorkers: '100%',
  // Modules of a suite are never forgotten by the process that ran it: after a hundred suites they are gigabytes.
  workerIdleMemoryLimit: '1GB',
};
