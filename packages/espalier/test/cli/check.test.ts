import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { addCheck } from '../../src/cli/check.js';
import { run } from './command.js';
import { copyExamples } from './own-parts.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';
import { writeTinyCifar10 } from './tiny-cifar10.js';

const folder = suiteFolder();

/** A space whose choices and whose network are given as code. */
const space = (choices: string, network = 'new nn.Linear(channels, classes)') => `
import { choose, defineSpace, nn, type Tensor } from 'espalier';

class Means extends nn.Layer {
  forward(images: Tensor): Tensor {
    return images.adaptiveAvgPool2d(1).flatten(1);
  }
}

class Square extends nn.Layer {
  readonly weight = new nn.Linear(4, 4);
  forward(rows: Tensor): Tensor {
    return this.weight.forward(rows).matmul(rows);
  }
}

console.log('the space is loaded');
export default defineSpace({
  name: 'mine',
  *choices() {
    ${choices}
  },
  network(_: unknown, { channels, classes }) {
    console.log('a network is built');
    return new nn.Sequential(new Means(), ${network});
  },
});
`;

let files = 0;

/** A file of its own for each: a module is loaded once. */
function fileOf(source: string): string {
  const file = `./mine-${files++}.ts`;
  writeFileSync(file, source);
  return file;
}

const KERNEL = "return { kernel: yield* choose('kernel', [3, 5]) };";

beforeAll(() => {
  process.chdir(folder);
  copyExamples(folder, 'small-mlp.ts', 'own-task.ts', 'own-task-data.csv', 'plain-cnn.ts');
});

describe('espalier check', () => {
  it('of a good space tells what its networks take', async () => {
    // 3 kernels, 3 numbers of filters and 2 poolings. A convolution with bias and a linear layer.
    const sizes = [3, 5, 7].flatMap((kernel) =>
      [8, 16, 32].map((filters) => filters * (3 * kernel ** 2 + 1) + 10 * (filters + 1)),
    );
    const checked = JSON.parse(
      await printed(addCheck, ['check', './plain-cnn.ts', '--json', '--samples', '40']),
    );
    expect(checked).toMatchObject({
      space: 'plain-cnn',
      size: '18',
      input: { channels: 3, height: 32, width: 32, classes: 10 },
      samples: 40,
      batchSize: 16,
      params: { least: Math.min(...sizes), most: Math.max(...sizes) },
      epochSeconds: null,
    });
    expect(sizes).toContain(checked.params.median);
    expect(checked.stepSeconds.least).toBeGreaterThan(0);
    const text = await printed(addCheck, ['check', './plain-cnn.ts', '--samples', '3', '--batch-size', '4']);
    expect(text.split('\n').map((line) => line.replace(/\d[\d.,]*\b/g, '#'))).toEqual([
      'space plain-cnn: # architectures; # built, run and trained',
      '  input             image (# x # x #)',
      '  parameters        # to #, median #',
      '  multiply-adds     # to #, median #',
      '  training step     # s to # s, median # s for # images, one thread',
      '',
    ]);
  });

  it('builds networks for the input of the flags', async () => {
    const flags = [
      '--image-size',
      '16',
      '--image-channels',
      '1',
      '--set',
      'input.classes=4',
      '--samples',
      '1',
    ];
    const checked = JSON.parse(await printed(addCheck, ['check', './plain-cnn.ts', '--json', ...flags]));
    expect(checked.input).toEqual({ channels: 1, height: 16, width: 16, classes: 4 });
  });

  it('with data builds them for it, and tells what an epoch takes', async () => {
    const cifar = `cifar10:${writeTinyCifar10('cifar')}`;
    const args = [
      'check',
      './plain-cnn.ts',
      '--data',
      cifar,
      '--samples',
      '3',
      '--batch-size',
      '30',
      '--json',
    ];
    const { input, stepSeconds, epochSeconds } = JSON.parse(await printed(addCheck, args));
    expect(input).toEqual({ channels: 3, height: 32, width: 32, classes: 10 });
    // 270 of the 300 images are trained on: 9 steps.
    for (const key of ['least', 'median', 'most'])
      expect(epochSeconds[key]).toBeCloseTo(9 * stepSeconds[key], 12);
  });

  it('is of tasks of your own too', async () => {
    const own = ['check', './small-mlp.ts', '--task', './own-task.ts', '--data', 'csv:own-task-data.csv'];
    const text = await printed(addCheck, [...own, '--samples', '3']);
    expect(text).toContain('space small-mlp: 1,884 architectures; 3 built, run and trained\n');
    expect(text).toContain('  input             row (3)\n');
    // 200 rows, of which a fifth is for testing and of the others a fifth is held out.
    expect(text).toMatch(/ {2}epoch of a child .* for 128 inputs\n$/);
    expect(await refusal(addCheck, ['check', './small-mlp.ts'])).toBe(
      'space small-mlp: its networks read rows, and no task in the box has such networks; name a file with --task',
    );
  });

  it('in a process of its own keeps what a space prints out of the result', async () => {
    writeFileSync('loud.ts', space(KERNEL));
    const { code, stdout, stderr } = await run(['check', './loud.ts', '--samples', '2', '--json'], folder);
    expect([code, JSON.parse(stdout).space]).toEqual([0, 'mine']);
    expect(stderr).toBe('the space is loaded\na network is built\na network is built\n');
  });

  it.each([
    [
      'asks for ever',
      "for (let i = 0; ; i++) yield* choose('q.' + i, [0, 1]);",
      "space mine: 'q.100000' is more than the 100,000 questions that a program may ask; check that the program ends",
    ],
    [
      'asks by chance',
      "return Math.random() < 0.5 ? {} : { a: yield* choose('a', [1, 2]) };",
      "space mine: whether 'a' is asked differs between two runs with equal answers; " +
        'a program may depend on nothing but its options and its answers',
    ],
    [
      'offers too much',
      "return { units: yield* choose('units', Array.from({ length: 100_000 }, (_, i) => i)) };",
      "space mine: 'units' offers 100,000 options; allowed: at most 10,000",
    ],
    [
      'has an architecture that is no plain JSON',
      "return { of: new Map([[yield* choose('a', [1, 2]), 1]]) };",
      /^space mine: .*/,
    ],
  ])('refuses a space that %s', async (_, choices, message) => {
    const file = fileOf(space(choices));
    const said = await refusal(addCheck, ['check', file]);
    if (typeof message === 'string') expect(said).toBe(message);
    else expect(said).toMatch(message);
    expect(said).not.toContain('\n');
  });

  it.each([
    [
      'be built',
      'new nn.Linear(0, classes)',
      /^space mine: the network of \{"kernel":[35]\} cannot be built: inputs must be .*, not 0 \(mine-\d\.ts:25\)$/,
    ],
    [
      'be run, with its layer',
      'new nn.Linear(channels + 1, classes)',
      /^space mine: the network of \{"kernel":[35]\} cannot be run: aten::linear: .* \(1x3 and 4x10\) .*, in its layer '1' \(mine-\d\.ts:25\)$/,
    ],
    [
      'be run, with its layer and the line of the file',
      'new nn.Linear(channels, 4), new Square()',
      /^space mine: the network of \{"kernel":[35]\} cannot be run: aten::matmul: .* \(1x4 and 1x4\) .*, in its layer '2' \(mine-\d\.ts:13\)$/,
    ],
    [
      'be trained',
      'new nn.Linear(channels, classes - 3)',
      /^space mine: the network of \{"kernel":[35]\} cannot be trained: /,
    ],
  ])('refuses a network that cannot %s', async (_, network, message) => {
    const said = await refusal(addCheck, ['check', fileOf(space(KERNEL, network)), '--samples', '4']);
    expect(said).toMatch(message);
    expect(said).not.toContain('\n');
  });

  it.each([
    [['./none.ts'], /^space '\.\/none\.ts': there is no file /],
    [['nasbench202'], /^space 'nasbench202' is unknown; did you mean 'nasbench201'\? known: zoph-cnn, /],
    [['./plain-cnn.ts', '--samples', '0'], /argument '0' is invalid\. Allowed: a whole number from 1 /],
    [['./plain-cnn.ts', '--batch-size', '1'], /argument '1' is invalid\. Allowed: a whole number from 2 /],
    [['./plain-cnn.ts', '--data', 'text:cifar'], /^data "text:cifar": the kind "text" is not images/],
    [
      ['./plain-cnn.ts', '--vocabulary', '9'],
      /^--vocabulary 9: the networks of space plain-cnn read images$/,
    ],
    [
      ['./plain-cnn.ts', '--layers', '9'],
      /^--layers 9: space plain-cnn has no option 'layers'; its options: none$/,
    ],
    [['./plain-cnn.ts', '--set', 'input.depth=9'], /^--set input\.depth: there is no such option; /],
    [['./plain-cnn.ts', '--set', 'input.height=0'], /^the input: option 'height' is 0: /],
  ])('refuses %j', async (args, message) => {
    expect(await refusal(addCheck, ['check', ...args])).toMatch(message);
  });
});
