import { defineConfig } from 'vitest/config';

/** Tests that replace modules of the program (`vi.mock`): each has a module cache of its own. */
const MOCKING = ['test/cli/**/*.test.ts', 'test/events/log/unchecked_recovery.test.ts'];

export default defineConfig({
  test: {
    environment: 'node',
    // The default leaves one CPU idle, half of a machine that has two.
    maxWorkers: '100%',
    globals: false,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default'],
    setupFiles: ['test/seed.ts'],
    // Most tests share the modules that are loaded: to load them again for each file took a third of the time of all.
    projects: [
      { extends: true, test: { name: 'mocking', include: MOCKING } },
      { extends: true, test: { name: 'shared', include: ['test/**/*.test.ts'], exclude: MOCKING, isolate: false } },
    ],
    coverage: {
      provider: 'v8',
      include: ['events/**/*.ts', 'src/**/*.ts', 'replay/**/*.ts', 'cli/**/*.ts'],
    },
  },
});
