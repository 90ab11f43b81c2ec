import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts'],
    setupFiles: ['test/properties.setup.ts'],
    // libtorch lives in one process with its tests; a native fault must not take the others along.
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
