import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'benchmarks/test/**/*.test.mjs'],
    // Checksums of image folders are cached; tests keep out of the user's cache.
    env: { XDG_CACHE_HOME: join(tmpdir(), 'espalier-test-cache') },
    setupFiles: ['test/properties.setup.ts'],
    // libtorch lives in one process with its tests; a native fault must not take the others along.
    pool: 'forks',
    // Vitest leaves a core to itself, which it has no use for: on two cores the suite would be one process after the other.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
