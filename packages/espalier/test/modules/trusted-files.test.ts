import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { run } from '../cli/command.js';

const root = mkdtempSync(join(tmpdir(), 'espalier-trust-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(root, 'project-'));
  const state = process.env.XDG_STATE_HOME;
  process.env.XDG_STATE_HOME = mkdtempSync(join(root, 'state-'));
  onTestFinished(() => {
    process.env.XDG_STATE_HOME = state;
  });
  writeFileSync(join(folder, 'sizes.ts'), 'export const sizes = [2, 4];\n');
  writeFileSync(
    join(folder, 'space.ts'),
    `import { choose, defineSpace } from 'espalier';
import { sizes } from './sizes';

export default defineSpace({
  name: 'sizes',
  *choices() {
    return { size: yield* choose('size', sizes) };
  },
});
`,
  );
  writeFileSync(join(folder, 'found.json'), '{"space": "./space.ts", "size": 4}\n');
});

const inspect = (...args: string[]) => run(['inspect', ...args], folder);
const exported = (file: string, ...args: string[]) =>
  run(['export', file, '--format', 'json', ...args], folder);
const refused = (project: string) =>
  `espalier: space ${join(project, 'space.ts')} is a program, and you have not named it or it has changed since; ` +
  `to run it, add --trust ${join(project, 'space.ts')}\n`;

describe('a file of code that an architecture names', () => {
  it('does not run until the user names it, and says how', async () => {
    const { code, stderr } = await exported('found.json');
    expect({ code, stderr }).toEqual({ code: 2, stderr: refused(folder) });
    const trusting = await exported('found.json', '--trust', 'space.ts');
    expect(trusting.stdout).toContain('"size": 4');
    expect(trusting.code).toBe(0);
  });

  it('runs once it has been named in another command, also where it was moved to', async () => {
    expect((await inspect('./space.ts')).code).toBe(0);
    expect((await exported('found.json')).code).toBe(0);
    const moved = `${folder}-moved`;
    renameSync(folder, moved);
    mkdirSync(folder);
    expect((await exported(join(moved, 'found.json'))).code).toBe(0);
  });

  it('is asked for again after it or what it imports has changed', async () => {
    await inspect('./space.ts');
    writeFileSync(join(folder, 'sizes.ts'), 'export const sizes = [2, 4, 8];\n');
    expect((await exported('found.json')).stderr).toBe(refused(folder));
    await inspect('./space.ts');
    writeFileSync(join(folder, 'space.ts'), 'process.exit(0);\n');
    expect((await exported('found.json')).stderr).toBe(refused(folder));
  });

  it('is known from no torn memory, and a --trust that is no file is refused', async () => {
    expect((await exported('found.json', '--trust', 'nothing.ts')).stderr).toContain(
      "argument 'nothing.ts' is invalid. Allowed: the path of a file.",
    );
    expect((await exported('found.json', '--trust', '.')).code).toBe(2);
  });
});
