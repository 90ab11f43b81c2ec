import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { run } from './command.js';
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

async function inspect(words: string): Promise<string> {
  const { code, stdout, stderr } = await run(['inspect', ...words.split(' ')], folder);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

describe('espalier inspect', () => {
  it('shows what a network takes, part by part, a user’s own too', async () => {
    // Of an image of 32x32: 8 filters 3x3 at 15x15 places, halved by pooling to 7x7.
    expect(await inspect('plain.json')).toBe(
      `plain.json: 314 parameters, 48,680 multiply-adds for one image (3 x 32 x 32)
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
    );
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

  it('profiles a training step of the batch and threads asked for', async () => {
    const words = 'plain.json --profile --batch-size 3 --threads 1 --image-size 12';
    const { profile, macs } = JSON.parse(await inspect(`${words} --json`));
    expect(profile).toMatchObject({ batchSize: 3, threads: 1, steps: 3 });
    const row = (operator: string) =>
      profile.operators.find((one: { operator: string }) => one.operator === operator);
    expect(row('aten::conv2d')).toMatchObject({ kind: '3x3', calls: 1 });
    expect(row('aten::conv2d').multiplyAdds + row('aten::linear').multiplyAdds).toBe(3 * macs);
    expect(row('aten::max_pool2d').calls).toBe(1);
    expect(row('torch::autograd::AccumulateGrad').calls).toBe(4);
    const text = await inspect(words);
    expect(text).toMatch(/^one training step of 3 images: [\d.,]+ ms, the mean of 3, with 1 thread$/m);
    expect(text).toMatch(/^operator +calls +ms +share +forward +backward +update +GFLOP\/s$/m);
    expect(text).toMatch(/^conv2d 3x3 +1 /m);
    expect(text).toMatch(/^total +\d+ +[\d.,]+ +100\.00% /m);
  });

  it.each([
    ['darts-cnn --profile', "--profile: 'darts-cnn' is a space; what is trained is an architecture"],
    ['darts-v2 --batch-size 3', '--batch-size 3 is of the step that --profile profiles'],
    ['darts-v2 --threads 2', '--threads 2 is of the step that --profile profiles'],
    [
      'auto-deeplab-s --profile --batch-size 1 --image-size 33 --threads 1',
      '--batch-size 1: this network is trained on 2 images and more',
    ],
  ])('says what is wrong with: %s', async (words, message) => {
    const { code, stdout, stderr } = await run(['inspect', ...words.split(' ')], folder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^espalier: .*\n$/);
    expect(stderr).toContain(message);
  });
});
