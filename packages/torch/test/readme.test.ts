import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const examples = [...readme.matchAll(/```js\n(.*?)```(?:(?!```).)*```text\n(.*?)```/gs)].map(
  ([, code, output]) => [code, output] as [string, string],
);

it('the README has two examples, and its first has at most 20 lines', () => {
  expect(examples.length).toBe(2);
  expect(readme.match(/```js/g)?.length).toBe(2);
  expect(examples[0]?.[0].trimEnd().split('\n').length).toBeLessThanOrEqual(20);
});

it.each(examples)('an example of the README prints what the README says: %#', (code, output) => {
  const folder = mkdtempSync(join(tmpdir(), 'espalier-readme-'));
  const program = join(folder, 'example.mjs');
  const builtPackage = new URL('../dist/index.js', import.meta.url).href;
  writeFileSync(program, code.replace('@espalier/torch', builtPackage));
  expect(execFileSync(process.execPath, [program], { encoding: 'utf8' })).toBe(output);
  rmSync(folder, { recursive: true });
});
