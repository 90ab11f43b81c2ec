import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { addInspect } from '../../src/cli/inspect.js';
import { addResume } from '../../src/cli/resume.js';
import { addSearch } from '../../src/cli/search.js';
import { addShow } from '../../src/cli/show.js';
import { addStatus } from '../../src/cli/status.js';
import { run } from './command.js';
import { refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';
import { writeTinyCifar10 } from './tiny-cifar10.js';

const folder = suiteFolder();
const data = writeTinyCifar10(join(folder, 'cifar'));
const search = (...more: string[]) => [
  ...['search', '--space', 'zoph-cnn', '--strategy', 'random', '--data', `cifar10:${data}`, '--out', 'run'],
  ...more,
];

describe('wrong input', () => {
  const work = join(folder, 'work');
  mkdirSync(work);
  writeFileSync(join(work, 'no-space.ts'), 'export default 3;\n');
  writeFileSync(join(work, 'broken.ts'), 'export default {;\n');
  const cut = join(folder, 'cut');
  cpSync(data, cut, { recursive: true });
  truncateSync(join(cut, 'data_batch_1.bin'), 100_000);

  it.each([
    ['an unknown command', ['serch'], /unknown command 'serch'/],
    ['an unknown option', search('--layer', '3'), /unknown option '--layer'/],
    ['an unknown space', search('--space', 'nope'), /space 'nope' is unknown; known: zoph-cnn/],
  ])('%s is one message on stderr, exit code 2, and nothing is written', async (_, args, message) => {
    const before = readdirSync(work).sort();
    const { code, stdout, stderr } = await run(args, work);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    // A second line may say what was meant.
    expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(readdirSync(work).sort()).toEqual(before);
  });

  it.each([
    [
      'a negative number of trials',
      search('--trials', '-1'),
      /'--trials <n>' argument '-1'.*a whole number from 1 /,
    ],
    ['no number', search('--trials', 'many'), /'many'.*a whole number from 1 /],
    ['a missing file of a space', search('--space', './mine.ts'), /there is no file .*mine\.ts/],
    ['a file that exports no space', search('--space', './no-space.ts'), /its default export is no space/],
    ['a file that is no TypeScript', search('--space', './broken.ts'), /broken\.ts' cannot be loaded/],
    [
      'an unknown strategy',
      search('--strategy', 'nope'),
      /strategy 'nope' is unknown; known: random, reinforce/,
    ],
    ['an unknown kind of data', search('--data', 'nope'), /unknown kind "nope"; known: mnist, cifar10:DIR/],
    ['a missing data folder', search('--data', 'cifar10:nowhere'), /nowhere.*does not exist/],
    ['a data file cut in the middle', search('--data', `cifar10:${cut}`), /data_batch_1\.bin.*100,?000/],
    ['an unknown preset', search('--preset', 'big'), /--preset 'big': allowed: paper, small/],
    ['an unknown setting', search('--set', 'foo=1'), /--set foo: there is no such option; .*filterHeights/],
    ['a setting without a value', search('--set', 'filters'), /'filters'.*key=value/],
    ['a setting out of range', search('--set', 'filters=[0]'), /option 'filters\.0' is 0/],
    [
      'a training setting out of range',
      search('--set', 'momentum=2'),
      /^the training: option 'momentum' is 2: /,
    ],
    [
      'a device that is not there',
      search('--set', 'device=cuda'),
      /device 'cuda' cannot be used: .*'cpu' always can/,
    ],
    ['a device that does not exist', search('--set', 'device=abacus'), /device 'abacus' cannot be used/],
    [
      'a flag that the space has no option for',
      search('--channels', '4'),
      /--channels 4: space zoph-cnn has no option 'channels'; its options: layers/,
    ],
    [
      'a space of language models',
      search('--space', 'darts-rnn'),
      /the kind "cifar10" is not a text; allowed here: text:DIR/,
    ],
    [
      'a space whose networks are no classifiers',
      search('--space', 'auto-deeplab', '--task', 'image-classification', '--filter-multiplier', '4'),
      /its network gives a tensor of shape \[1,10,32,32\]; .* has to be \[1, 10\]/,
    ],
    ['more images than there are', search('--limit', '301'), /limit 301: .*1 to 300/],
    ['too many images held out', search('--validation', '300'), /300 images to hold out/],
  ])('%s is refused with one message, and nothing is written', async (_, args, message) => {
    process.chdir(work);
    const before = readdirSync(work).sort();
    const said = await refusal(addSearch, args);
    expect(said).toMatch(message);
    // A second line may say where it stands in a file.
    expect(said.split('\n').length).toBeLessThanOrEqual(2);
    expect(said).not.toMatch(/\n\s+at /);
    expect(readdirSync(work).sort()).toEqual(before);
  });
});

const readers = [
  ['resume', addResume],
  ['status', addStatus],
  ['show', addShow],
] as const;

describe('a run folder', () => {
  const tiny = [
    '--layers',
    '2',
    '--set',
    'filters=[4,6]',
    '--epochs',
    '1',
    '--trials',
    '3',
    '--workers',
    '1',
  ];
  const path = join(folder, 'run');
  let journal: string;

  beforeAll(async () => {
    const { code, stderr } = await run(search(...tiny), folder);
    expect(stderr).not.toMatch(/failed/);
    expect(code).toBe(0);
    journal = readFileSync(join(path, 'journal.jsonl'), 'utf8');
  });

  it('is not written over', async () => {
    const { code, stderr } = await run(search(...tiny), folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^espalier: run: a run is in this folder already; resume it or name another folder\n$/,
    );
    expect(readFileSync(join(path, 'journal.jsonl'), 'utf8')).toBe(journal);
  });

  it('with a torn last line is repaired by resume, which says so, and ends with the same journal', async () => {
    const torn = join(folder, 'torn');
    cpSync(path, torn, { recursive: true });
    const lines = journal.trimEnd().split('\n');
    writeFileSync(join(torn, 'journal.jsonl'), `${lines.slice(0, 4).join('\n')}\n${lines[4]?.slice(0, 20)}`);
    const status = await run(['status', 'torn', '--json'], folder);
    expect(JSON.parse(status.stdout)).toMatchObject({ status: 'stopped', tornLastLine: true, told: 1 });
    const { code, stderr } = await run(['resume', 'torn'], folder);
    expect(code).toBe(0);
    expect(stderr).toMatch(/torn.*journal\.jsonl:5/);
    const clockless = (text: string) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => ({ ...JSON.parse(line), clock: 0 }));
    expect(clockless(readFileSync(join(torn, 'journal.jsonl'), 'utf8'))).toEqual(clockless(journal));
  });

  it('with a broken line in the middle is refused with the line, and stays as it is', async () => {
    const broken = join(folder, 'broken');
    cpSync(path, broken, { recursive: true });
    const text = journal.replace('{"event":"trial"', '{"event":"tri');
    writeFileSync(join(broken, 'journal.jsonl'), text);
    process.chdir(folder);
    for (const [command, add] of readers)
      expect(await refusal(add, [command, 'broken'])).toMatch(/broken\/journal\.jsonl.*2/);
    expect(readFileSync(join(broken, 'journal.jsonl'), 'utf8')).toBe(text);
  });

  it('whose data has changed is not resumed', async () => {
    const changed = join(folder, 'changed');
    cpSync(path, changed, { recursive: true });
    writeFileSync(join(changed, 'journal.jsonl'), `${journal.split('\n').slice(0, 3).join('\n')}\n`);
    const extra = join(data, 'data_batch_2.bin');
    cpSync(join(data, 'data_batch_1.bin'), extra);
    const { code, stderr } = await run(['resume', 'changed'], folder);
    rmSync(extra);
    expect(code).toBe(2);
    expect(stderr).toMatch(/the data cifar10 has changed since the run was begun/);
  });

  it('that is none is named', async () => {
    mkdirSync(join(folder, 'empty'));
    process.chdir(folder);
    for (const [command, add] of readers) {
      expect(await refusal(add, [command, 'nowhere'])).toMatch(/nowhere: no such folder/);
      expect(await refusal(add, [command, 'empty'])).toMatch(/empty: not a run folder/);
    }
    expect(existsSync(join(folder, 'nowhere'))).toBe(false);
    expect(readdirSync(join(folder, 'empty'))).toEqual([]);
    appendFileSync('note.json', '{"space": "zoph-cnn", "layers": [{"filters": 5}]}');
    expect(await refusal(addInspect, ['inspect', 'note.json'])).toMatch(/^note\.json: .*layers/);
  });
});
