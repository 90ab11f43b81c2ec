import { defineConfig } from 'vitest/config';

/** The properties again, with new and with more random cases. */
export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts'],
    exclude: ['packages/espalier/test/{cli,runs}/**', 'packages/torch/test/find-libtorch.test.ts'],
    setupFiles: ['test/properties-long.setup.ts'],
    pool: 'forks',
    testTimeout: 1_800_000,
  },
});
