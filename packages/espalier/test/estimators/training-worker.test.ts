import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { graphOf } from '../../src/modules/import-graph.js';
import { ChildPool } from '../../src/runs/child-pool.js';

const folder = mkdtempSync(join(tmpdir(), 'espalier-worker-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('a worker that starts after the space was edited does not train children of another space', async () => {
  const file = join(folder, 'space.ts');
  const space = (sizes: string) =>
    writeFileSync(
      file,
      `import { choose, defineSpace } from 'espalier';
export default defineSpace({ name: 'sizes', *choices() { return { size: yield* choose('size', ${sizes}) }; } });
`,
    );
  space('[1, 2]');
  const { checksum } = graphOf(file);
  space('[3, 4]');
  const pool = new ChildPool({
    module: new URL('../../dist/programs/training-worker.js', import.meta.url),
    workers: [{ threads: 1 }],
    init: {
      space: file,
      spaceChecksum: checksum,
      spaceOptions: {},
      task: { name: 'image-classification', data: 'mnist', seed: 1 },
      training: {},
      folder,
    },
  });
  try {
    await expect(pool.ready()).rejects.toThrow(
      `the space's file ${file} was edited while the search was at work, and a worker that starts now would take what it is ` +
        'now; put back what it was, then resume with --retry-failed',
    );
  } finally {
    await pool.close();
  }
});
