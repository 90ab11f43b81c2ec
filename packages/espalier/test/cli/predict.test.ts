import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randn, saveTensors, scope, setThreads, type Tensor, tensor } from '@espalier/torch';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { addPredict } from '../../src/cli/predict.js';
import { beginTraining, continueTraining } from '../../src/experiments/training-run.js';
import { findArchitecture } from '../../src/kinds/kinds-of-run.js';
import { DartsNetwork } from '../../src/networks/darts/network.js';
import { Space } from '../../src/space/space.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';
import { openImages } from '../../src/tasks/image-classification/open-images.js';
import { fixtureGenotype, genotypeFile, pytorchFixture } from '../prediction/pytorch-fixture.js';
import { run } from './command.js';
import { printed as printedBy, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';
import { writeTinyCifar10 } from './tiny-cifar10.js';

setThreads(1);

const folder = suiteFolder();

const save = (name: string, tensors: ReadonlyMap<string, Tensor>) => {
  saveTensors(join(folder, `${name}.safetensors`), tensors);
};
const small = ['--channels', '2', '--layers', '6', '--classes', '5'];
const cifar = ['predict', genotypeFile, ...small, '--image-size', '16'];
const cifarWeights = ['--weights', 'cifar.safetensors'];
const recurrent = ['predict', 'darts-v2-rnn', '--hidden', '8'];
const recurrentWeights = ['--weights', 'rnn.safetensors', '--vocabulary', '20'];

const printed = (...args: string[]) => printedBy(addPredict, args);
const predict = async (...args: string[]) => JSON.parse(await printed(...args, '--json'));

function expectClose(found: number[], expected: number[]): void {
  expect(found.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 5);
}

beforeAll(async () => {
  process.chdir(folder);
  scope(() => {
    for (const layout of ['cifar', 'imagenet'] as const) {
      const { state, tensor } = pytorchFixture(`darts-${layout}`);
      save(layout, state);
      save(`${layout}-images`, new Map([['images', tensor('images')]]));
    }
    const { state, tensor: given } = pytorchFixture('darts-rnn');
    save('rnn', state);
    save('tokens', new Map([['tokens', given('tokens')]]));
    save('text', new Map([['tokens', given('tokens').select(1, 0)]]));
    save('one-image', new Map([['images', pytorchFixture('darts-cifar').tensor('images').select(0, 1)]]));
    save(
      'two',
      new Map([
        ['a', tensor([1])],
        ['b', tensor([2])],
      ]),
    );
    save('far', new Map([['tokens', tensor([0, 25], 'int64')]]));
    save('doubles', new Map([['x', tensor([[[1]]], 'float64')]]));
    const grey = new Map(pytorchFixture('darts-cifar').state);
    grey.set('stem.0.weight', grey.get('stem.0.weight')!.narrow(1, 0, 1).contiguous());
    save('grey', grey);
    const wrong = new Map(pytorchFixture('darts-cifar').state);
    wrong.delete('stem.0.weight');
    wrong.set('classifier.bias', tensor([1, 2]));
    wrong.set('classifier.weight', wrong.get('classifier.weight')!.to({ dtype: 'float64' }));
    wrong.set('head.weight', tensor([1]));
    save('wrong', wrong);
  });
  const pixels = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (i * 37) % 256);
  await sharp(pixels, { raw: { width: 16, height: 16, channels: 3 } }).toFile(join(folder, 'small.png'));
  writeFileSync(join(folder, 'model.pt'), 'PK, as PyTorch zips its files');
  writeFileSync(join(folder, 'note.txt'), 'no image');
  mkdirSync(join(folder, 'empty'));
});

describe("espalier predict, with weights of PyTorch's", () => {
  it.each([
    ['cifar', '16'],
    ['imagenet', '32'],
  ] as const)("prints PyTorch's logits: layout %s", async (layout, size) => {
    const found = await predict(
      ...['predict', genotypeFile, ...small, '--layout', layout, '--image-size', size],
      ...['--weights', `${layout}.safetensors`, '--input', `${layout}-images.safetensors`],
    );
    scope(() => {
      const logits = pytorchFixture(`darts-${layout}`).tensor('logits');
      expectClose(found.logits.flat(), logits.toNumbers());
      expectClose(found.probabilities.flat(), logits.softmax(1).toNumbers());
      expect(found.classes).toEqual(logits.argmax(1).toNumbers());
      expect(found.input).toEqual({ channels: 3, height: Number(size), width: Number(size), classes: 5 });
    });
  });

  it('says the same as the built program, in a process of its own', async () => {
    const args = [...cifar, ...cifarWeights, '--input', 'cifar-images.safetensors', '--json'];
    const { code, stdout, stderr } = await run(args, folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const logits = scope(() => pytorchFixture('darts-cifar').tensor('logits').toNumbers());
    expectClose(JSON.parse(stdout).logits.flat(), logits);
  });

  it('prints the most probable classes of one image on a terminal', async () => {
    const stdout = await printed(...cifar, ...cifarWeights, '--input', 'one-image.safetensors');
    const [title, ...lines] = stdout.trimEnd().split('\n');
    expect(title).toBe('one-image.safetensors');
    const expected = scope(() => {
      const probabilities = pytorchFixture('darts-cifar')
        .tensor('logits')
        .softmax(1)
        .select(0, 1)
        .toNumbers();
      return [...probabilities.entries()].sort(([, a], [, b]) => b - a);
    });
    expect(lines.length).toBe(5);
    for (const [i, [label, probability]] of expected.entries()) {
      const [, percent, name] = /^ +([\d.]+) % {2}(.+)$/.exec(lines[i]!)!;
      expect(name).toBe(`class ${label}`);
      expect(Number(percent)).toBeCloseTo(100 * probability, 1);
    }
  });

  it('standardises an image file as CIFAR-10, or as it is told', async () => {
    const usual = await predict(...cifar, ...cifarWeights, '--input', 'small.png');
    expect(usual.standardised).toEqual({
      of: 'CIFAR-10',
      mean: [0.49139968, 0.48215827, 0.44653124],
      std: [0.24703233, 0.24348505, 0.26158768],
    });
    const flags = ['--mean', '0.5,0.4,0.3', '--std', '0.2,0.25,0.3'];
    const told = await predict(...cifar, ...cifarWeights, '--input', 'small.png', ...flags);
    expect(told.standardised).toEqual({
      of: '--mean and --std',
      mean: [0.5, 0.4, 0.3],
      std: [0.2, 0.25, 0.3],
    });
    const values = Array.from({ length: 3 }, (_, c) =>
      Array.from({ length: 16 }, (_, y) =>
        Array.from(
          { length: 16 },
          (_, x) =>
            (((((y * 16 + x) * 3 + c) * 37) % 256) / 255 - [0.5, 0.4, 0.3][c]!) / [0.2, 0.25, 0.3][c]!,
        ),
      ),
    );
    scope(() => save('by-hand', new Map([['image', tensor(values)]])));
    const byHand = await predict(...cifar, ...cifarWeights, '--input', 'by-hand.safetensors');
    for (const [i, value] of byHand.logits[0].entries()) expect(told.logits[0][i]).toBeCloseTo(value, 6);
    expect(Math.abs(told.logits[0][0] - usual.logits[0][0])).toBeGreaterThan(1e-2);
  });

  it('resizes for ImageNet to 256/224 of the size, and reads the middle', async () => {
    // Made by ../prediction/fixtures/make-images.py: wide.png as Pillow resizes and crops it.
    const fixture = (name: string) =>
      fileURLToPath(new URL(`../prediction/fixtures/${name}`, import.meta.url));
    const layout = ['predict', genotypeFile, ...small, '--layout', 'imagenet', '--image-size', '32'];
    const weights = ['--weights', 'imagenet.safetensors'];
    const found = await predict(...layout, ...weights, '--input', fixture('wide.png'));
    const { mean, std } = found.standardised;
    expect({ mean, std }).toEqual({ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] });
    const bytes = await sharp(fixture('wide-evaluated.png')).raw().toBuffer();
    const standardised = Array.from({ length: 3 }, (_, c) =>
      Array.from({ length: 32 }, (_, y) =>
        Array.from({ length: 32 }, (_, x) => (bytes[(y * 32 + x) * 3 + c]! / 255 - mean[c]) / std[c]),
      ),
    );
    scope(() => save('evaluated', new Map([['image', tensor(standardised)]])));
    const pillow = await predict(...layout, ...weights, '--input', 'evaluated.safetensors');
    // Pillow rounds twice on the way; another cut of the image moves the logits by 0.1 and more.
    for (const [i, value] of pillow.logits[0].entries())
      expect(Math.abs(found.logits[0][i] - value)).toBeLessThan(0.02);
  });

  it('builds the auxiliary head that the weights have, and has the same logits', async () => {
    const genotype = Space.configure(dartsCnn).validate(fixtureGenotype());
    const shape = { channels: 3, height: 32, width: 32, classes: 5 };
    scope(() => {
      const { state } = pytorchFixture('darts-cifar');
      const options = { channels: 2, layers: 6, layout: 'cifar', auxiliary: true } as const;
      const network = new DartsNetwork(genotype as never, shape, options);
      const head = [...network.stateDict()].filter(([name]) => name.startsWith('auxiliary_head.'));
      save('with-head', new Map([...state, ...head]));
      save('images', new Map([['images', randn([1, 3, 32, 32], { dtype: 'float32' })]]));
      network.free();
    });
    const at = ['predict', genotypeFile, ...small, '--input', 'images.safetensors', '--weights'];
    const plain = await predict(...at, 'cifar.safetensors');
    const withHead = await predict(...at, 'with-head.safetensors');
    expect(withHead.logits).toEqual(plain.logits);
    await expect(printed(...at, 'with-head.safetensors', '--set', 'auxiliary=false')).rejects.toThrow(
      'auxiliary_head.features.2.weight is not part of the network',
    );
    await expect(printed(...at, 'cifar.safetensors', '--set', 'auxiliary=true')).rejects.toThrow(
      'auxiliary_head.features.2.weight is missing',
    );
  });

  it('prints the log-probabilities of the next token, and the perplexity of each text', async () => {
    const found = await predict(...recurrent, ...recurrentWeights, '--input', 'tokens.safetensors');
    const { last, perplexities } = scope(() => {
      const { tensor } = pytorchFixture('darts-rnn');
      return { last: tensor('last').toNumbers(), perplexities: tensor('perplexities').toNumbers() };
    });
    expectClose(found.logits.flat(), last);
    expectClose(found.perplexities.map(Math.log), perplexities.map(Math.log));
    const first = await printed(...recurrent, ...recurrentWeights, '--input', 'text.safetensors');
    expect(first).toMatch(
      new RegExp(
        `^text\\.safetensors: perplexity ${perplexities[0]!.toFixed(2)}; the next token\n +[\\d.]+ %  token ${found.classes[0]}\n`,
      ),
    );
    const all = await printed(...recurrent, ...recurrentWeights, '--input', 'tokens.safetensors');
    expect(all.match(/^tokens\.safetensors, text \d: perplexity/gm)?.length).toBe(2);
  });
});

describe('espalier predict, with the folder of a training', () => {
  it('needs no weights, names the classes, and standardises as the training did', async () => {
    const data = `cifar10:${writeTinyCifar10(join(folder, 'data'))}`;
    const options = { channels: 2, layers: 3 };
    const settings = { name: 'image-classification', data, seed: 1, limit: 20 };
    writeFileSync(
      'tiny.json',
      JSON.stringify({ space: 'darts-cnn', options, ...(fixtureGenotype() as object) }),
    );
    await beginTraining('trained', await findArchitecture('tiny.json'), {
      task: settings,
      training: { epochs: 1, batchSize: 10 },
      seed: 1,
      threads: 1,
    });
    await expect(printed('predict', 'trained', '--input', 'small.png')).rejects.toThrow(
      'trained: the training is not finished, so there are no weights yet',
    );
    const { signal } = new AbortController();
    await continueTraining('trained', { signal, report: () => {}, epochEnded: () => {}, message: () => {} });
    const { mean, standardDeviation } = openImages({ ...settings, validation: 0 }).statistics;
    const found = await predict('predict', 'trained', '--input', 'small.png');
    expect(found.input).toEqual({ channels: 3, height: 32, width: 32, classes: 10 });
    expect(found.names[3]).toBe('cat');
    expect(found.standardised).toEqual({
      of: 'the training',
      mean: [...mean],
      std: [...standardDeviation],
    });
    const named = await printed('predict', 'trained', '--input', 'small.png');
    expect(named.split('\n')[1]).toMatch(new RegExp(`^ +[\\d.]+ %  ${found.names[found.classes[0]]}$`));
    // The same by its parts.
    const statistics = ['--mean', mean.join(), '--std', standardDeviation.join()];
    const parts = ['--weights', 'trained/weights.safetensors', ...statistics];
    const again = await predict('predict', 'tiny.json', '--input', 'small.png', ...parts);
    expect(again.logits).toEqual(found.logits);
    expect(again.names).toBeUndefined();
  });
});

const unchanged = [...cifar, ...cifarWeights];

describe('espalier predict refuses', () => {
  it.each([
    ['no input', unchanged, /required option '--input <file>' not specified/],
    [
      'no weights',
      [...cifar, '--input', 'small.png'],
      /--weights is missing: '.*' is an architecture without weights; allowed: a safetensors file, or the folder/,
    ],
    [
      'weights that are not there',
      [...cifar, '--weights', 'nowhere', '--input', 'small.png'],
      /nowhere: does not exist; expected weights in a safetensors file/,
    ],
    [
      'a file of PyTorch, with the way out',
      [...cifar, '--weights', 'model.pt', '--input', 'small.png'],
      /model\.pt is not a safetensors file.*python3 -c .*save_file.* 'model\.pt' 'model\.safetensors'/,
    ],
    [
      'weights that do not fit, with each tensor',
      [...cifar, '--weights', 'wrong.safetensors', '--input', 'small.png'],
      /wrong\.safetensors: the state does not fit the network: stem\.0\.weight is missing; classifier\.weight has element type float64, the network needs float32; classifier\.bias has shape \[2\], the network needs \[5\]; head\.weight is not part of the network$/m,
    ],
    [
      'weights of another size of network',
      ['predict', genotypeFile, '--image-size', '16', ...cifarWeights, '--input', 'cifar-images.safetensors'],
      /cifar\.safetensors: .*stem\.0\.weight has shape \[6,3,3,3\], the network needs \[108,3,3,3\].*; and \d+ more$/m,
    ],
    [
      'an input that is not there',
      [...unchanged, '--input', 'nowhere.png'],
      /^nowhere\.png: does not exist; expected an image/,
    ],
    [
      'a tensor that is not there',
      [...unchanged, '--input', 'nowhere.safetensors'],
      /nowhere\.safetensors: does not exist; expected a safetensors file with one float32 tensor \[C, H, W\] or \[N, C, H, W\]/,
    ],
    [
      'a file that is no image',
      [...unchanged, '--input', 'note.txt'],
      /^note\.txt: has no known image format; .* an image \(PNG,/,
    ],
    [
      'two tensors',
      [...unchanged, '--input', 'two.safetensors'],
      /two\.safetensors: has 2 tensors: a, b; allowed: one float32 tensor/,
    ],
    [
      'a tensor of another type',
      [...unchanged, '--input', 'doubles.safetensors'],
      /doubles\.safetensors: x is a float64 tensor \[1,1,1\]; allowed: one float32 tensor/,
    ],
    [
      'a tensor of another size',
      [...unchanged, '--input', 'imagenet-images.safetensors'],
      /its tensor is \[2,3,32,32\]; the network reads images \[3, 16, 16\]: see --layout, --image-size/,
    ],
    [
      'statistics for a tensor',
      [...unchanged, '--input', 'cifar-images.safetensors', '--mean', '0,0,0'],
      /--mean 0,0,0: the tensor of cifar-images\.safetensors is read as it is/,
    ],
    [
      'a mean without a deviation',
      [...unchanged, '--input', 'small.png', '--mean', '0,0,0'],
      /--std is missing: --mean and --std go together/,
    ],
    [
      'too few statistics',
      [...unchanged, '--input', 'small.png', '--mean', '0', '--std', '1,1,1'],
      /--mean 0: 1 numbers; the network's images have 3 channels/,
    ],
    [
      'a deviation of zero',
      [...unchanged, '--input', 'small.png', '--mean', '0,0,0', '--std', '1,0,1'],
      /--std 1,0,1: number 2 is not above 0/,
    ],
    [
      'what are no numbers',
      [...unchanged, '--input', 'small.png', '--mean', '0,,a'],
      /'--mean <r,g,b>' argument '0,,a' is invalid\. Allowed: numbers with commas/,
    ],
    [
      'usual statistics for images that are not usual',
      [...cifar, '--weights', 'grey.safetensors', '--input', 'small.png', '--image-channels', '1'],
      /images of 1 channels, but the statistics of CIFAR-10 are of 3: give --mean and --std/,
    ],
    [
      'tokens for a network of images',
      [...unchanged, '--input', 'tokens.safetensors'],
      /tokens is a int64 tensor \[70,2\]; allowed: one float32 tensor/,
    ],
    [
      'a vocabulary for a network of images',
      [...unchanged, '--input', 'small.png', '--vocabulary', '3'],
      /--vocabulary 3: the networks of space darts-cnn read images$/,
    ],
    [
      'an image for a language model',
      [...recurrent, ...recurrentWeights, '--input', 'small.png'],
      /--input small\.png: the networks of space darts-rnn read tokens, and only a training knows those of a text; allowed here: a \.safetensors file with one int64 tensor \[T\] or \[T, N\]/,
    ],
    [
      'flags of images for a language model',
      [...recurrent, ...recurrentWeights, '--input', 'tokens.safetensors', '--image-size', '32'],
      /--image-size 32: the networks of space darts-rnn read tokens$/,
    ],
    [
      'a token beyond the vocabulary',
      [...recurrent, ...recurrentWeights, '--input', 'far.safetensors'],
      /token 1 of text 0 is 25; the network's vocabulary has the tokens 0 to 19/,
    ],
    [
      'another vocabulary than that of the weights',
      [...recurrent, '--weights', 'rnn.safetensors', '--input', 'tokens.safetensors'],
      /encoder\.weight has shape \[20,8\], the network needs \[10000,8\]/,
    ],
  ])('%s', async (_, args, message) => {
    const said = await refusal(addPredict, args);
    expect(said).toMatch(message);
    expect(said).not.toContain('\n');
  });

  it('with exit code 2, and one message on stderr', async () => {
    const { code, stdout, stderr } = await run(
      [...cifar, '--weights', 'wrong.safetensors', '--input', 'small.png', '--json'],
      folder,
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^espalier: wrong\.safetensors: .*stem\.0\.weight is missing.*\n$/);
  });
});
