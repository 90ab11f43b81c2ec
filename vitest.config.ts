import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'benchmarks/test/**/*.test.mjs'],
    // Checksums of image folders are cached, and files of code that were named are remembered: not among the user's.
    env: {
      XDG_CACHE_HOME: join(tmpdir(), 'espalier-test-cache'),
      XDG_STATE_HOME: join(tmpdir(), 'espalier-test-state'),
    },
    setupFiles: ['test/properties.setup.ts'],
    // libtorch lives in one process with its tests; a native fault must not take the others along.
    pool: 'forks',
    // Vitest leaves a core to itself, which it has no use for: on two cores the suite would be one process after the other.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
