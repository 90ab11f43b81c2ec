import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { graphOf } from '../../src/modules/import-graph.js';
import { type BegunPart, keepCode, placeOfPart } from '../../src/modules/kept-code.js';
import { sayNotes } from '../../src/modules/notes.js';

const root = mkdtempSync(join(tmpdir(), 'espalier-kept-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folder: string;
let notes: string[];
let begun: BegunPart;
let copy: string;
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

beforeEach(() => {
  folder = mkdtempSync(join(root, 'project-'));
  notes = [];
  sayNotes((text) => notes.push(text));
  write('task.ts', "import './part.ts';\nexport default 1;\n");
  write('part.ts', 'export const part = 1;\n');
  const graph = graphOf(join(folder, 'task.ts'));
  keepCode(join(folder, 'run'), [graph, undefined]);
  begun = { run: join(folder, 'run'), checksum: graph.checksum, use: 'read' };
  copy = join(folder, 'run', 'code', graph.checksum.slice(0, 16), 'task.ts');
});

const place = (change: Partial<BegunPart> = {}) =>
  placeOfPart('task', './task.ts', folder, { ...begun, ...change });
const goOn = { use: 'go on' } as const;

describe("the place of a run's part", () => {
  it('is that of the file as long as it and what it imports are as they were', () => {
    expect(place()).toBe(join(folder, 'task.ts'));
    expect(place(goOn)).toBe(join(folder, 'task.ts'));
    expect(placeOfPart('task', 'image-classification', folder, begun)).toBe('image-classification');
    expect(notes).toEqual([]);
  });

  it('is that of the copy once an import has changed, said once, and a run does not go on', () => {
    write('part.ts', 'export const part = 2;\n');
    expect([place(), place()]).toEqual([copy, copy]);
    expect(readFileSync(join(copy, '..', 'part.ts'), 'utf8')).toBe('export const part = 1;\n');
    const how = `the task's file ${join(folder, 'part.ts')}, which task.ts imports, has changed`;
    expect(notes).toEqual([`note: ${how}; the run's copy of it is used, ${copy}`]);
    expect(() => place(goOn)).toThrow(
      new InputError(
        `${how} since the run was begun, so it would not go on as the same run; put back what was there ` +
          `(the run's copy is ${copy}) or begin another run`,
      ),
    );
  });

  it('is that of the copy where the file is gone, also for a run that goes on, in a folder that was moved', () => {
    rmSync(join(folder, 'task.ts'));
    renameSync(join(folder, 'run'), join(folder, 'moved'));
    const moved = copy.replace('/run/', '/moved/');
    expect(place({ run: join(folder, 'moved') })).toBe(moved);
    expect(place({ run: join(folder, 'moved'), ...goOn })).toBe(moved);
    expect(notes).toEqual([
      `note: the task's file ${join(folder, 'task.ts')} is gone; the run's copy of it is used, ${moved}`,
    ]);
  });

  it('is none where the file has changed and the copy is missing or was changed', () => {
    const message = `the task's file ${join(folder, 'task.ts')} has changed, and there is no copy of it in ${join(folder, 'run', 'code')}`;
    write('part.ts', 'export const part = 2;\n');
    cpSync(join(folder, 'part.ts'), join(copy, '..', 'part.ts'));
    expect(() => place()).toThrow(new InputError(message));
    rmSync(join(folder, 'run'), { recursive: true });
    expect(() => place()).toThrow(new InputError(message));
  });
});

it('copies lie beside each other as the files did, above the folder of the module too', () => {
  write('above.ts', "import './run/../part.ts';\nexport default 1;\n");
  const inner = join(folder, 'inner');
  cpSync(join(folder, 'part.ts'), join(inner, 'deep', 'part.ts'));
  writeFileSync(
    join(inner, 'space.ts'),
    "import '../above.ts';\nimport './deep/part.ts';\nexport default 1;\n",
  );
  const graph = graphOf(join(inner, 'space.ts'));
  keepCode(begun.run, [graph]);
  const kept = join(begun.run, 'code', graph.checksum.slice(0, 16), 'inner', 'space.ts');
  expect(graphOf(kept)).toMatchObject({ checksum: graph.checksum, files: graph.files });
});
