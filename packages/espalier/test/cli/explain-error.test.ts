import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { explain } from '../../src/cli/explain-error.js';
import { writeOutput } from '../../src/cli/write-output.js';
import { InputError } from '../../src/input-error.js';
import { loadModule } from '../../src/modules/user-module.js';
import { Diverged } from '../../src/tasks/task.js';
// Files of the user import the whole library.
import '../../src/index.js';
import { suiteFolder } from './suite-folder.js';

const folder = suiteFolder();

describe('an error of a command', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
    code: 'ENOSPC',
    path: 'run/journal.jsonl',
  });
  it.each([
    ['wrong input', new InputError('layers 0: too few'), { exitCode: 2, message: 'layers 0: too few' }],
    ['a divergence', new Diverged('diverged: NaN'), { exitCode: 1, message: 'diverged: NaN' }],
    ['a full disk', full, { exitCode: 1, message: 'run/journal.jsonl: no space left on device' }],
    ['what commander has said', new CommanderError(1, 'c', 'x'), { exitCode: 2 }],
    ['help', new CommanderError(0, 'c', 'x'), { exitCode: 0 }],
    ['no error at all', 'odd', { exitCode: 1, message: 'odd' }],
  ])('that is %s', (_, error, explained) => {
    expect(explain(error)).toEqual(explained);
  });

  it("in the user's code names the line", async () => {
    mkdirSync(join(folder, 'code'));
    const file = join(folder, 'code', 'mine.ts');
    writeFileSync(file, 'export default function () {\n  return undefined!.layers;\n}\n');
    const { exported } = await loadModule('space', file, folder);
    const error = await Promise.resolve()
      .then(exported as () => void)
      .catch((thrown: unknown) => thrown);
    expect(explain(error)).toEqual({
      exitCode: 2,
      message: "mine.ts:2: TypeError: Cannot read properties of undefined (reading 'layers')",
    });
  });

  it('of our own keeps its stack', () => {
    const error = new Error('a fault');
    expect(explain(error)).toEqual({ exitCode: 1, message: error.stack });
  });
});

describe('the file of --out', () => {
  it('is written whole, and where a link leads to', () => {
    const file = join(folder, 'a.onnx');
    const link = join(folder, 'link.onnx');
    writeOutput(file, 'one');
    symlinkSync('a.onnx', link);
    writeOutput(link, 'two');
    expect(readFileSync(file, 'utf8')).toBe('two');
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('is not left truncated on a full disk', () => {
    const file = join(folder, 'b.onnx');
    symlinkSync('/dev/full', `${file}.tmp`);
    expect(() => writeOutput(file, 'x')).toThrow(
      new InputError(`--out ${file}: cannot be written: no space left on device`),
    );
    expect(existsSync(file)).toBe(false);
  });

  it('may be a device, which is not replaced', () => {
    writeOutput('/dev/null', 'x');
    expect(() => writeOutput('/dev/full', 'x')).toThrow(
      '--out /dev/full: cannot be written: no space left on device',
    );
    mkdirSync(join(folder, 'c'));
    writeFileSync(join(folder, 'd'), '');
    expect(() => writeOutput(join(folder, 'd', 'e'), 'x')).toThrow(/cannot be written: not a directory$/);
  });
});
