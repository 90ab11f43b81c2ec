import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { beforeAll, describe, expect, it } from 'vitest';
import { addCompare } from '../../src/cli/compare.js';
import { addEvaluate } from '../../src/cli/evaluate.js';
import { addExport } from '../../src/cli/export.js';
import { addInspect } from '../../src/cli/inspect.js';
import { addPredict } from '../../src/cli/predict.js';
import { addReproduce } from '../../src/cli/reproduce.js';
import { addResume } from '../../src/cli/resume.js';
import { addSearch } from '../../src/cli/search.js';
import { addShow } from '../../src/cli/show.js';
import { addStatus } from '../../src/cli/status.js';
import { addTrain } from '../../src/cli/train.js';
import { version } from '../../src/version.js';
import { run } from './command.js';
import { writeEstimator } from './own-parts.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';

const folder = suiteFolder();

/** Every command that reads the folder of a run. */
const readers: readonly [string, (program: Command) => void, readonly string[]][] = [
  ['status', addStatus, []],
  ['show', addShow, []],
  ['resume', addResume, []],
  ['inspect', addInspect, []],
  ['compare', addCompare, []],
  ['reproduce', addReproduce, []],
  ['export', addExport, ['--format', 'json']],
  ['train', addTrain, ['--data', 'mnist', '--out', 'trained']],
  ['predict', addPredict, ['--input', 'image.png']],
  ['evaluate', addEvaluate, ['--data', 'mnist', '--out', 'evaluated']],
];

/** A copy of the run whose journal another version has begun. */
function begunWith(before: string | undefined, name: string): string {
  cpSync('run', name, { recursive: true });
  const journal = join(name, 'journal.jsonl');
  const [header, ...lines] = readFileSync(journal, 'utf8').split('\n');
  const { version: _, ...begin } = JSON.parse(header as string);
  const own = before === undefined ? begin : { ...begin, version: before };
  writeFileSync(journal, [JSON.stringify(own), ...lines].join('\n'));
  return name;
}

/** Every file below the working folder with its text. */
const contents = () =>
  (
    readdirSync('.', { recursive: true, withFileTypes: true }) as {
      isFile(): boolean;
      name: string;
      parentPath: string;
    }[]
  )
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'utf8')]);

describe('the journal of another version', () => {
  beforeAll(async () => {
    process.chdir(folder);
    writeEstimator('free.ts');
    await printed(addSearch, [
      ...['search', '--space', 'nasbench201', '--strategy', 'random', '--estimator', './free.ts'],
      ...['--trials', '3', '--out', 'run'],
    ]);
    begunWith('0.1.0', 'old');
    begunWith(undefined, 'oldest');
    const [major, minor, patch] = version.split('.').map(Number) as [number, number, number];
    begunWith(`${major}.${minor}.${patch + 1}`, 'newer');
  });

  it.each(readers)(
    'is refused by %s with one message, and nothing is written',
    async (command, add, more) => {
      const before = contents();
      expect(await refusal(add, [command, 'old', ...more])).toBe(
        `old/journal.jsonl: the run was begun with Espalier 0.1.0, whose journals ${version} cannot read; use that version`,
      );
      expect(await refusal(add, [command, 'oldest', ...more])).toBe(
        `oldest/journal.jsonl: the run was begun with an unknown version of Espalier, whose journals ${version} cannot read; use that version`,
      );
      expect(contents()).toEqual(before);
    },
  );

  it('ends the program with exit code 2', async () => {
    const { code, stdout, stderr } = await run(['status', 'old', '--json'], folder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^espalier: old\/journal\.jsonl: the run was begun with Espalier 0\.1\.0, .*\n$/);
  });

  it('of the same series is read and shown, but not gone on with', async () => {
    const newer = JSON.parse(await printed(addStatus, ['status', 'newer', '--json']));
    expect(newer).toMatchObject({ status: 'finished', done: 3 });
    const journal = join('newer', 'journal.jsonl');
    writeFileSync(journal, readFileSync(journal, 'utf8').replace(/\n[^\n]*"event":"end".*\n$/, '\n'));
    expect(await refusal(addResume, ['resume', 'newer'])).toMatch(
      /^search: the run was begun with Espalier .*; this is .*, which may go on differently$/,
    );
  });
});
