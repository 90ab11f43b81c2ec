import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { addEvaluate } from '../../src/cli/evaluate.js';
import { addExport } from '../../src/cli/export.js';
import { addInspect } from '../../src/cli/inspect.js';
import { addPredict } from '../../src/cli/predict.js';
import { addResume } from '../../src/cli/resume.js';
import { addSearch } from '../../src/cli/search.js';
import { addTrain } from '../../src/cli/train.js';
import { writeImageFolders } from '../data/image-files.js';
import { journalOf, run } from './command.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';
import { writeTinyCifar10 } from './tiny-cifar10.js';
import { writeTinyText } from './tiny-text.js';

const folder = suiteFolder();
const cifar = `cifar10:${writeTinyCifar10(join(folder, 'cifar'))}`;
const CELL = {
  space: 'nasbench201',
  cell: '|none~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|',
};

/** A space whose second layer fits the first one only with a kernel of 3; line 7 makes it. */
const FAULTY = `import { choose, defineSpace, nn } from 'espalier';
export default defineSpace({
  name: 'faulty',
  *choices() { return { kernel: yield* choose('kernel', [3, 5]) }; },
  network: ({ kernel }, { channels, classes }) => new nn.Sequential(
    new nn.Conv2d(channels, 4, kernel),
    new nn.Conv2d(kernel + 1, 4, 1),
    new nn.AdaptiveAvgPool2d(1), new nn.Flatten(), new nn.Linear(4, classes),
  ),
});
`;
const FAULT =
  /the network of \{"kernel":5\} cannot be run: aten::conv2d: Given groups=1, weight of size \[4, 6, 1, 1\], .*, in its layer '1' \(faulty\.ts:7\)$/;

beforeAll(() => {
  process.chdir(folder);
  writeFileSync('cell.json', JSON.stringify(CELL));
  writeFileSync('faulty.ts', FAULTY);
  writeFileSync('faulty.json', JSON.stringify({ space: './faulty.ts', kernel: 5 }));
});

describe('before the first step', () => {
  // The auxiliary head of DARTS normalises one value a channel.
  const heads = ['--channels', '4', '--layers', '3', '--batch-size', '8', '--limit', '9'];
  it('a last batch of one is found in which batch norm has nothing to normalise by', async () => {
    const said = await refusal(addTrain, ['train', 'darts-v2', '--data', cifar, '--out', 'no', ...heads]);
    expect(said).toBe(
      'the train data has 9 inputs, so with batches of 8 the last one has only 1, and on so few this network cannot be ' +
        'trained: BatchNorm2d cannot normalise a batch of shape [1, 768, 1, 1]: a single value of each feature has no ' +
        'variance; choose another --batch-size or --limit',
    );
    expect(existsSync('no')).toBe(false);
  });

  it('an evaluation is checked too, also with the inputs that only its last stage learns from', async () => {
    // Stage 2 holds one of the nine out.
    const said = await refusal(addEvaluate, [
      'evaluate',
      'darts-v2',
      '--data',
      cifar,
      '--out',
      'no',
      ...heads,
    ]);
    expect(said).toMatch(/^the train data has 9 inputs, so with batches of 8 the last one has only 1, /);
    expect(existsSync('no')).toBe(false);
  });

  const search = (space: string, ...more: string[]) => [
    ...['search', '--space', space, '--strategy', 'random', '--out', 'no', '--workers', '1', ...more],
  ];

  it('a network that cannot work is named, with its layer and the line of the file', async () => {
    for (const [add, ...args] of [
      [addTrain, 'train', 'faulty.json', '--data', cifar, '--out', 'no'],
      [addInspect, 'inspect', 'faulty.json'],
      [addExport, 'export', 'faulty.json', '--format', 'onnx', '--out', 'no.onnx'],
    ] as const) {
      const said = await refusal(add, args);
      expect(said).toMatch(FAULT);
      expect(said).not.toContain('\n');
    }
    expect([existsSync('no'), existsSync('no.onnx')]).toEqual([false, false]);
  });

  it.each([
    [
      '--channels 20000',
      /the [\d,]+ weights of this network take at least 3,\d\d\d\.\d GiB of memory, and [\d.]+ GiB are free; /,
    ],
    [
      '--image-size 200000',
      /cannot be run: aten::zeros: not enough memory for a tensor of 480000000000 bytes/,
    ],
  ])('a network that is too large for the memory is refused: inspect darts-v2 %s', async (flags, message) => {
    const said = await refusal(addInspect, ['inspect', 'darts-v2', ...flags.split(' ')]);
    expect(said).toMatch(message);
    expect(said).not.toContain('\n');
  });

  it('a supernet, a child, and a training that are too large are refused', async () => {
    const much = /weights of this network and their gradients take at least [\d,.]+ GiB of memory, /;
    const wide = ['--data', cifar, '--channels', '30000', '--out', 'no'];
    expect(await refusal(addInspect, ['inspect', 'darts-cnn', '--supernet', '--channels', '30000'])).toMatch(
      /weights of this network take at least [\d,.]+ GiB of memory, /,
    );
    expect(await refusal(addTrain, ['train', 'darts-v2', ...wide])).toMatch(much);
    for (const strategy of ['random', 'darts'])
      expect(
        await refusal(addSearch, ['search', '--space', 'darts-cnn', '--strategy', strategy, ...wide]),
      ).toMatch(much);
    expect(existsSync('no')).toBe(false);
  });

  it('more processes than the memory has room for are refused', async () => {
    const args = search('zoph-cnn', '--layers', '2', '--data', cifar, '--workers', '1000000');
    expect(await refusal(addSearch, args)).toMatch(
      /^workers 1000000: their processes take at least 97,656\.3 GiB of memory, and [\d.]+ GiB are free; choose fewer workers$/,
    );
    expect(existsSync('no')).toBe(false);
  });

  it.each([
    ['--layers 3 --set layers=4', '--set layers=4: a flag sets the same option to 3; give one of the two'],
    ['--epochs 3 --set epochs=4', '--set epochs=4: a flag sets the same option to 3; give one of the two'],
    ['--set layers=4 --set space.layers=3', "--set space.layers: 'layers' of space zoph-cnn is set twice"],
    ['--set filtrs=[3]', /^--set filtrs: there is no such option; did you mean 'filters'\? the options are /],
    [
      '--threads 1000000',
      /'--threads <n>' argument '1000000' is invalid\. Allowed: a whole number from 1 to \d+\.$/,
    ],
  ])('search %s is refused', async (flags, message) => {
    const said = await refusal(addSearch, search('zoph-cnn', '--data', cifar, ...flags.split(' ')));
    if (typeof message === 'string') expect(said).toBe(message);
    else expect(said).toMatch(message);
    expect(existsSync('no')).toBe(false);
  });

  it('what a flag and a setting say alike is no contradiction', async () => {
    const text = await printed(addInspect, [
      'inspect',
      'zoph-cnn',
      '--layers',
      '2',
      '--set',
      'layers=2',
      '--json',
    ]);
    expect(JSON.parse(text).options.layers).toBe(2);
  });

  it('a second file to predict is refused', async () => {
    const said = await refusal(addPredict, ['predict', 'cell.json', '--input', 'a.png', '--input', 'b.png']);
    expect(said).toContain("It follows 'a.png'. Allowed: one file.");
  });

  it('more validation than a text has is refused, and little is warned of', async () => {
    const data = `text:${writeTinyText(join(folder, 'text'))}`;
    const args = search('darts-rnn', '--hidden', '4', '--data', data, '--validation');
    expect(await refusal(addSearch, [...args, '631'])).toBe(
      'validation 631: must be a whole number from 2 to 630, the tokens of the validation text',
    );
  });
});

describe('a command with a mistyped option', () => {
  it('names it, and not the one that is missing for it', async () => {
    const { code, stderr } = await run(['search', '--spcae', 'zoph-cnn', '--strategy', 'random'], folder);
    expect([code, stderr]).toEqual([2, "error: unknown option '--spcae'\n(Did you mean --space?)\n"]);
    const missing = await run(['search', '--strategy', 'random'], folder);
    expect([missing.code, missing.stderr]).toEqual([
      2,
      "error: required option '--space <name|file>' not specified\n",
    ]);
  });
});

describe('a search whose children all fail', () => {
  it('is given up after five, says why, and ends with exit code 1', async () => {
    // The search itself builds a network; only its workers have a channel to a parent.
    writeFileSync(
      'failing.ts',
      FAULTY.replace("'faulty'", "'failing'")
        .replace('[3, 5]', '[3, 5, 7, 9, 11, 13]')
        .replace('kernel + 1', 'process.send ? 9 : 4'),
    );
    const { code, stdout, stderr } = await run(
      [
        ...['search', '--space', './failing.ts', '--strategy', 'random', '--data', cifar, '--limit', '40'],
        ...['--trials', '50', '--epochs', '1', '--workers', '1', '--out', 'failing', '--json'],
      ],
      folder,
    );
    expect(code).toBe(1);
    const reason =
      /^aten::conv2d: Given groups=1, weight of size \[4, 9, 1, 1\], .*, in its layer '1' \(failing\.ts:7\)$/;
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'failing',
      done: 0,
      failed: 5,
      failure: { count: 5, reason: expect.stringMatching(reason) },
      best: null,
    });
    expect(stderr).toContain(
      'note: Only 4 images validate: an accuracy of 90% on them is off by 15.0 points by chance (one standard error), ' +
        'which may decide what seems best.\n',
    );
    expect(journalOf(join(folder, 'failing')).at(-1)).toContain('"event":"result"');
    const shown = await run(['show', 'failing'], folder);
    expect(shown.stdout).toMatch(
      /^failing: unfinished, 5 of 50 children, 5 failed\n5 of the 5 failed alike: aten::conv2d: /,
    );
  });

  it('to its end, where it has fewer, ends with exit code 1 too', async () => {
    const { code, stdout } = await run(
      [
        ...['search', '--space', './failing.ts', '--strategy', 'random', '--data', cifar, '--limit', '40'],
        ...['--trials', '2', '--epochs', '1', '--workers', '1', '--out', 'two-failing'],
      ],
      folder,
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^two-failing: finished, 2 of 2 children, 2 failed\n2 of the 2 failed alike: aten::conv2d: .*\n/,
    );
  });
});

describe('a test image that is damaged', () => {
  it('costs the test and not the training; once it is mended, the test alone is repeated', async () => {
    await writeImageFolders(join(folder, 'pictures'), [4, 4, 4]);
    // The first two test images are looked at before the training.
    const image = join(folder, 'pictures', 'val', 'cat', 'only.jpeg');
    const whole = readFileSync(image);
    truncateSync(image, whole.length - 40);
    const size = [
      '--channels',
      '2',
      '--cells',
      '1',
      '--image-size',
      '8',
      '--batch-size',
      '6',
      '--threads',
      '1',
    ];
    const train = [
      'train',
      'cell.json',
      '--data',
      'images:pictures',
      '--out',
      'tested',
      '--epochs',
      '2',
      ...size,
    ];
    const said =
      `${image}: is a damaged or incomplete JPEG file. The training is done and its weights are in ` +
      'tested/weights.safetensors; to repeat the test once the data is mended: espalier resume tested';
    expect(await refusal(addTrain, train)).toBe(said);
    const weights = readFileSync('tested/weights.safetensors');
    const journal = journalOf('tested');
    expect(journal.map((line) => JSON.parse(line).event)).toEqual(['train', 'epoch', 'epoch']);
    expect(await refusal(addResume, ['resume', 'tested'])).toBe(said);

    writeFileSync(image, whole);
    const summary = JSON.parse(await printed(addResume, ['resume', 'tested', '--json']));
    expect(summary).toMatchObject({ status: 'finished', judge: 'test' });
    expect(readFileSync('tested/weights.safetensors').equals(weights)).toBe(true);
    const [begin, ...rest] = journalOf('tested').map((line) => JSON.parse(line));
    expect(journalOf('tested').slice(0, 3)).toEqual(journal);
    // What the test was on is recorded.
    expect(rest[2]).toMatchObject({ event: 'end', dataChecksum: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(rest[2].dataChecksum).not.toBe(begin.dataChecksum);
    expect(JSON.parse(await printed(addResume, ['resume', 'tested', '--json']))).toEqual(summary);

    writeFileSync(image, readFileSync(join(folder, 'pictures', 'val', 'ant', 'only.jpeg')));
    expect(await refusal(addResume, ['resume', 'tested'])).toMatch(
      /^the data images:pictures has changed since the run was begun; a run that goes on would not be the same$/,
    );
  });
});
