import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** What an earlier run of the tests left there would hide that a test needs it. */
const home = mkdtempSync(join(tmpdir(), 'espalier-test-'));
process.once('exit', () => rmSync(home, { recursive: true, force: true }));

/** The properties again, with new and with more random cases; a thousand architectures of each space. */
export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.{test,long}.ts'],
    exclude: [
      'packages/espalier/test/{cli,examples,package,runs}/**',
      'packages/torch/test/find-libtorch.test.ts',
    ],
    env: {
      XDG_CACHE_HOME: join(home, 'cache'),
      XDG_STATE_HOME: join(home, 'state'),
      ESPALIER_ARCHITECTURES: '1000',
    },
    setupFiles: ['test/properties-long.setup.ts'],
    pool: 'forks',
    testTimeout: 1_800_000,
  },
});
