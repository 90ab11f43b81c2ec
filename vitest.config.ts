import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'benchmarks/test/**/*.test.mjs'],
    setupFiles: ['test/properties.setup.ts'],
    // libtorch lives in one process with its tests; a native fault must not take the others along.
    pool: 'forks',
    // Vitest leaves a core to itself, which it has no use for: on two cores the suite would be one process after the other.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
