import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** What an earlier run of the tests left there would hide that a test needs it. */
const home = mkdtempSync(join(tmpdir(), 'espalier-test-'));
process.once('exit', () => rmSync(home, { recursive: true, force: true }));

export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', '{benchmarks,scripts}/test/**/*.test.mjs'],
    // Checksums of image folders are cached, and files of code that were named are remembered: not among the user's.
    env: {
      XDG_CACHE_HOME: join(home, 'cache'),
      XDG_STATE_HOME: join(home, 'state'),
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
