import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** The properties again, with new and with more random cases; a thousand architectures of each space. */
export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts'],
    exclude: [
      'packages/espalier/test/{cli,examples,package,runs}/**',
      'packages/torch/test/find-libtorch.test.ts',
    ],
    env: {
      XDG_CACHE_HOME: join(tmpdir(), 'espalier-test-cache'),
      XDG_STATE_HOME: join(tmpdir(), 'espalier-test-state'),
      ESPALIER_ARCHITECTURES: '1000',
    },
    setupFiles: ['test/properties-long.setup.ts'],
    pool: 'forks',
    testTimeout: 1_800_000,
  },
});
