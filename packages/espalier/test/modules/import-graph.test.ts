import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { graphOf } from '../../src/modules/import-graph.js';

const root = mkdtempSync(join(tmpdir(), 'espalier-graph-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function project(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(root, name);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
  return folder;
}

const value = 'export const a = 1;\nexport default 2;\n';

it('follows every form of import to files of the user, to any depth, and nothing else', () => {
  const folder = project('forms', {
    'space/entry.ts': `
      import { choose } from 'espalier';
      import { join } from 'node:path';
      import type { Shape } from './types';
      import { a } from './named.js';
      import numbers from './numbers.json';
      import * as all from '../shared';
      import './effect.mts';
      export * from './exported.ts';
      const required = require('./required.cjs');
      const lazy = () => import('./lazy');
      const quoted = await import(\`./quoted.ts\`);
      const missing = './missing.ts';
      export default [choose, join, a, numbers, all, required, lazy, quoted, missing, {} as Shape];`,
    'space/named.ts': "import { a } from './deep/deeper.ts';\nexport { a };\n",
    'space/deep/deeper.ts': "import * as back from '../entry.ts';\nexport const a = () => back;\n",
    'space/numbers.json': '[1]',
    'shared/index.ts': value,
    'space/effect.mts': value,
    'space/exported.ts': value,
    'space/required.cjs': 'module.exports = 1;\n',
    'space/lazy.ts': value,
    'space/quoted.ts': value,
    'space/types.ts': 'export interface Shape {}\n',
    'space/unused.ts': value,
  });
  expect(Object.keys(graphOf(join(folder, 'space', 'entry.ts')).files)).toEqual([
    '../shared/index.ts',
    'deep/deeper.ts',
    'effect.mts',
    'entry.ts',
    'exported.ts',
    'lazy.ts',
    'named.ts',
    'numbers.json',
    'quoted.ts',
    'required.cjs',
  ]);
});

it('has a checksum of the contents and of where they lie beside each other, not of the folder', () => {
  const files = { 'a.ts': "import './b.ts';\n", 'b.ts': value };
  const [first, second, other] = [
    project('first', files),
    project('second/deeper', files),
    project('other', { ...files, 'b.ts': `${value} ` }),
  ].map((folder) => graphOf(join(folder, 'a.ts')).checksum);
  expect(first).toMatch(/^[\da-f]{64}$/);
  expect(second).toBe(first);
  expect(other).not.toBe(first);
  symlinkSync(join(root, 'first'), join(root, 'link'));
  expect(graphOf(join(root, 'link', 'a.ts')).checksum).toBe(first);
});

it('holds a module alone whose text is no program, and names a file that is missing', () => {
  const folder = project('broken', { 'a.ts': "import './b.ts'; const = ;\n", 'b.ts': value });
  expect(Object.keys(graphOf(join(folder, 'a.ts')).files)).toEqual(['a.ts']);
  expect(() => graphOf(join(folder, 'nothing.ts'))).toThrow(
    `${join(folder, 'nothing.ts')}: cannot be read: ENOENT`,
  );
});
