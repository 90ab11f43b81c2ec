import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** A folder for all tests of a file, gone with them. */
export function suiteFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'espalier-cli-')));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
