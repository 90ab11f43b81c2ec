import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { addInspect } from '../../src/cli/inspect.js';
import { run, start } from './command.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';

const folder = suiteFolder();

cpSync(
  fileURLToPath(new URL('../../../../examples/plain-cnn.ts', import.meta.url)),
  join(folder, 'plain-cnn.ts'),
);
writeFileSync(
  join(folder, 'plain.json'),
  JSON.stringify({ space: './plain-cnn.ts', kernel: 3, filters: 8, pooling: 'max' }),
);
writeFileSync(
  join(folder, 'far.txt'),
  `Genotype(normal=[('skip_connect', 2), ${Array(7).fill("('skip_connect', 0)").join(', ')}])`,
);
writeFileSync(join(folder, 'list.json'), '[]');

process.chdir(folder);

const inspect = (words: string) => printed(addInspect, ['inspect', ...words.split(' ')]);

describe('espalier inspect', () => {
  it('lists the options of a strategy and of the training, by task where they differ', async () => {
    expect(await inspect('reinforce')).toMatch(
      /^strategy reinforce:\n {2}children = 8 {2}m, architectures of one minibatch.*\n(.*\n)* {2}rewardPower = 3 /,
    );
    expect(await inspect('darts')).toMatch(
      /^strategy darts, task image-classification:\n(.*\n)* {2}order = 1 (.*\n)*strategy darts, task language-modelling:\n/,
    );
    const { options } = JSON.parse(await inspect('training --json'));
    expect(options.map(({ task }: { task: string }) => task)).toEqual([
      'image-classification',
      'language-modelling',
      'semantic-segmentation',
    ]);
    expect(options[1].options).toContainEqual({
      name: 'bptt',
      default: 35,
      description: 'BPTT length: tokens that back-propagation through time goes over (code: 35)',
    });
  });

  it('shows what a network takes, part by part, a user’s own too', async () => {
    // Of an image of 32x32: 8 filters 3x3 at 15x15 places, halved by pooling to 7x7.
    expect(await run(['inspect', 'plain.json', '--trust', 'plain-cnn.ts'], folder)).toMatchObject({
      code: 0,
      stderr: '',
      stdout: `plain.json: 314 parameters, 48,680 multiply-adds for one image (3 x 32 x 32)
activation memory: 15.7 KiB in training, at most 14.1 KiB at once in evaluation

part   kind               parameters  multiply-adds  activations       output
0      Conv2d                    224         48,600      7.0 KiB  8 x 15 x 15
1      ReLU                        0              0      7.0 KiB  8 x 15 x 15
2      MaxPool2d                   0              0      1.5 KiB    8 x 7 x 7
3      AdaptiveAvgPool2d           0              0         32 B    8 x 1 x 1
4      Flatten                     0              0          0 B            8
5      Linear                     90             80         40 B           10
total                            314         48,680     15.7 KiB
`,
    });
  });

  it('has the same figures in its JSON, and the layers as they are drawn', async () => {
    const json = JSON.parse(await inspect('plain.json --json'));
    const map = 8 * 15 * 15 * 4;
    expect(json).toMatchObject({
      space: 'plain-cnn',
      input: { channels: 3, height: 32, width: 32, classes: 10 },
      params: 3 * 3 * 3 * 8 + 8 + 8 * 10 + 10,
      macs: 15 * 15 * 8 * 27 + 8 * 10,
      activationBytes: 2 * map + 8 * 7 * 7 * 4 + 8 * 4 + 10 * 4,
      evaluationBytes: 2 * map,
    });
    expect(json.cells).toHaveLength(6);
    expect(json.cells[0]).toEqual({
      module: '0',
      kind: 'Conv2d',
      params: 224,
      macs: 48600,
      activationBytes: map,
      output: [8, 15, 15],
    });
    expect(json.layers.map(({ layer }: { layer: string }) => layer)).toContain('3x3 convolution, 8 filters');
  });

  it('gives the multiply-adds and activations of one token for a language model', async () => {
    const json = JSON.parse(await inspect('darts-v2-rnn --hidden 10 --vocabulary 20 --json'));
    // Embedding and decoder share 20 x 10; the first product reads input and state, the others one state each.
    const products = 20 * 20 + 8 * 10 * 20;
    expect(json).toMatchObject({ params: 200 + products + 20, macs: products + 200 });
    expect(json.cells.map(({ module }: { module: string }) => module)).toEqual([
      'encoder',
      'rnns.0',
      'decoder',
      '',
    ]);
    expect(json.layers).toBeUndefined();
  });

  it('shows the cells of a supernet', async () => {
    const lines = (await inspect('darts-cnn --supernet --channels 2 --layers 3 --image-size 8')).split('\n');
    expect(lines[0]).toMatch(/^supernet of darts-cnn: .* parameters, 224 architecture parameters, /);
    expect(lines.slice(5, 8).map((line) => line.split(/ {2,}/).slice(0, 2))).toEqual([
      ['cells.0', 'normal'],
      ['cells.1', 'reduction'],
      ['cells.2', 'reduction'],
    ]);
  });

  it('gives the sizes of a supernet that reads tokens', async () => {
    const words = 'darts-rnn --supernet --hidden 300';
    expect(JSON.parse(await inspect(`${words} --json`))).toMatchObject({
      space: 'darts-rnn',
      options: { hidden: 300, nodes: 8 },
      input: { vocabulary: 10_000 },
      params: 4_810_000,
      architectureParams: 180,
      macs: 9_840_000,
    });
    expect((await inspect(words)).split('\n')[0]).toBe(
      'supernet of darts-rnn: 4,810,000 parameters, 180 architecture parameters, ' +
        '9,840,000 multiply-adds for one token (vocabulary 10,000)',
    );
  });

  it('tells a space and a strategy of the same name apart', async () => {
    const ofSpace = (await inspect('auto-deeplab')).split('\n');
    expect(ofSpace[0]).toMatch(/^space auto-deeplab: /);
    expect(ofSpace.find((line) => line.startsWith('  supernet.border = '))).toMatch(
      /"existing" {2}normalisation of beta/,
    );
    expect(ofSpace).toContain('the strategy of this name: espalier inspect strategy.auto-deeplab');
    const ofStrategy = await inspect('strategy.auto-deeplab --task semantic-segmentation');
    expect(ofStrategy).toMatch(/^strategy auto-deeplab, task semantic-segmentation:\n/);
    expect(ofStrategy).toContain(
      '  alphaLearningRate = 0.003  learning rate of Adam on the architecture parameters',
    );
  });

  it('gives the sizes of a supernet of paths and cells', async () => {
    const words =
      'auto-deeplab --supernet --image-size 65 --filter-multiplier 2 --set layers=5 --set blocks=3 --json';
    expect(JSON.parse(await inspect(words))).toMatchObject({
      space: 'auto-deeplab',
      input: { channels: 3, height: 65, width: 65, classes: 19 },
      params: 403_150,
      // 9 edges of 8 operations; 5 layers, 4 levels, 3 moves.
      architectureParams: 72 + 60,
      macs: 78_818_962,
    });
  });

  it('reads the text that the code of NAS-Bench-201 prints', async () => {
    const cell =
      '|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|';
    writeFileSync('cell.txt', `${cell}\n`);
    const { architecture, params } = JSON.parse(await inspect('cell.txt --json'));
    expect(architecture).toMatchObject({ space: 'nasbench201', cell });
    // Five 3x3 convolutions in each of 15 cells, of 16, 32 and 64 channels, two blocks, stem, last norm, classifier.
    const cells = 5 * 5 * (9 * (16 ** 2 + 32 ** 2 + 64 ** 2) + 2 * (16 + 32 + 64));
    expect(params).toBe(cells + 14_464 + 57_600 + 464 + 128 + 650);
  });

  it('says nothing where its reader stops before the end', async () => {
    const { child, ended } = start(['inspect', 'darts-cnn'], folder);
    child.stdout?.destroy();
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('profiles a training step of the batch and threads asked for', async () => {
    const words = 'plain.json --profile --batch-size 3 --threads 1 --image-size 12';
    const { profile, macs } = JSON.parse(await inspect(`${words} --json`));
    expect(profile).toMatchObject({ batchSize: 3, threads: 1, steps: 3 });
    const row = (operator: string) =>
      profile.operators.find((one: { operator: string }) => one.operator === operator);
    expect(row('aten::conv2d')).toMatchObject({ kind: '3x3', calls: 1 });
    expect(row('aten::conv2d').multiplyAdds + row('espalier::matmul').multiplyAdds).toBe(3 * macs);
    expect(row('aten::max_pool2d').calls).toBe(1);
    expect(row('torch::autograd::AccumulateGrad').calls).toBe(4);
    const text = await inspect(words);
    expect(text).toMatch(/^one training step of 3 images: [\d.,]+ ms, the mean of 3, with 1 thread$/m);
    expect(text).toMatch(/^operator +calls +ms +share +forward +backward +update +GFLOP\/s$/m);
    expect(text).toMatch(/^conv2d 3x3 +1 /m);
    expect(text).toMatch(/^total +\d+ +[\d.,]+ +100\.00% /m);
  });

  it.each([
    [
      'random-ws-cnn',
      /^'random-ws-cnn': no such space, published architecture, .*; spaces: zoph-cnn, .*; published: amoebanet-a, /,
    ],
    ['missing.json', "'missing.json': no such space, published architecture, file or run folder"],
    ['darts-v2 --supernet', "--supernet: 'darts-v2' is an architecture; a supernet holds"],
    ['nasnet --supernet', 'space nasnet has no supernet'],
    ['darts-v2 --vocabulary 5', '--vocabulary 5: the networks of space darts-cnn read images'],
    ['darts-v2-rnn --classes 5', '--classes 5: the networks of space darts-rnn read tokens'],
    ['far.txt', "far.txt: space darts-cnn: 'normal.0.1' is 2; allowed: a state before the node, 0 to 1"],
    ['list.json', "list.json: an architecture is an object with the key 'space', not []"],
    ['darts-cnn --profile', "--profile: 'darts-cnn' is a space; what is trained is an architecture"],
    ['darts-v2 --batch-size 3', '--batch-size 3 is of the step that --profile profiles'],
    ['darts-v2 --threads 2', '--threads 2 is of the step that --profile profiles'],
    [
      'auto-deeplab-s --profile --batch-size 1 --image-size 33 --threads 1',
      '--batch-size 1: this network is trained on 2 images and more',
    ],
  ])('says what is wrong with: %s', async (words, message) => {
    const said = await refusal(addInspect, ['inspect', ...words.split(' ')]);
    expect(said).toMatch(message);
    expect(said).not.toContain('\n');
  });
});
