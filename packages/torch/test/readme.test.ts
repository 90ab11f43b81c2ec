import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('the example of the README has at most 20 lines and prints what the README says', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, example, output] = /```js\n(.*?)```.*?```text\n(.*?)```/s.exec(readme) as unknown as [
    string,
    string,
    string,
  ];
  expect(example.trimEnd().split('\n').length).toBeLessThanOrEqual(20);
  const folder = mkdtempSync(join(tmpdir(), 'espalier-readme-'));
  const program = join(folder, 'example.mjs');
  const builtPackage = new URL('../dist/index.js', import.meta.url).href;
  writeFileSync(program, example.replace('@espalier/torch', builtPackage));
  expect(execFileSync(process.execPath, [program], { encoding: 'utf8' })).toBe(output);
  rmSync(folder, { recursive: true });
});
