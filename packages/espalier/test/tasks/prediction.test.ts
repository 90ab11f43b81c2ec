import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromTypedArray, nn, saveTensors, scope, setThreads, type Tensor, tensor } from '@espalier/torch';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/input-error.js';
import type { Json } from '../../src/json.js';
import type { LanguageModelState } from '../../src/networks/language-model.js';
import { evaluationView } from '../../src/prediction/evaluation-view.js';
import { readImage } from '../../src/prediction/image-file.js';
import { Space } from '../../src/space/space.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { imageClassification } from '../../src/tasks/image-classification/definition.js';
import { languageModelling } from '../../src/tasks/language-modelling/definition.js';
import { suiteFolder } from '../cli/suite-folder.js';

setThreads(1);

const folder = suiteFolder();

/** Saves one tensor, and returns its file. */
function saved(name: string, value: () => Tensor): string {
  const file = join(folder, `${name}.safetensors`);
  scope(() => saveTensors(file, new Map([['input', value()]])));
  return file;
}

const refusal = async (made: () => unknown) => {
  try {
    await made();
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as Error).message;
  }
  return 'no error';
};

/** The logit of a class is the mean of a channel. */
class Means extends nn.Layer {
  forward(images: Tensor): Tensor {
    return images.mean([2, 3]);
  }
}

describe('the prediction of classes', () => {
  const input = { channels: 3, height: 4, width: 4, classes: 3 };
  const spaceOf = (layout: string) => Space.configure(dartsCnn, { layout });
  const predict = (
    file: string,
    given: {
      readonly flags?: object;
      readonly signature?: Readonly<Record<string, Json>>;
      readonly layout?: string;
      readonly input?: object;
    } = {},
  ) => {
    const { flags = {}, signature, layout = 'cifar' } = given;
    return imageClassification.predict({
      network: new Means() as never,
      input: { ...input, ...given.input },
      space: spaceOf(layout) as never,
      file,
      signature,
      flags: flags as Record<string, unknown>,
    });
  };
  const signature = {
    classes: ['ant', 'bee', 'cat'],
    mean: [0.4, 0.2, 0.3],
    standardDeviation: [0.5, 0.25, 0.5],
    resized: false,
  };
  const one = () => tensor([0, 2, 1]).reshape([3, 1, 1]).expand([3, 4, 4]).contiguous();
  const percent = (logit: number) =>
    ((100 * Math.exp(logit)) / (Math.exp(0) + Math.exp(1) + Math.exp(2))).toFixed(2).padStart(8);
  const lines = (name: (label: number) => string) => [
    `${percent(2)} %  ${name(1)}`,
    `${percent(1)} %  ${name(2)}`,
    `${percent(0)} %  ${name(0)}`,
  ];

  it('takes a tensor of one image or more as it is, and names the classes that the training had', async () => {
    const file = saved('one', one);
    const plain = await predict(file);
    expect(plain.json).toMatchObject({ space: 'darts-cnn', input, classes: [1], logits: [[0, 2, 1]] });
    expect(Object.keys(plain.json)).not.toContain('names');
    expect(Object.keys(plain.json)).not.toContain('standardised');
    expect(plain.notes).toEqual([]);
    expect(plain.lines).toEqual([file, ...lines((label) => `class ${label}`)]);

    const two = saved('two', () => one().unsqueeze(0).expand([2, 3, 4, 4]).contiguous());
    const named = await predict(two, { signature });
    expect(named.json).toMatchObject({ classes: [1, 1], names: signature.classes });
    const its = lines((label) => signature.classes[label] as string);
    expect(named.lines).toEqual([`${two}, image 0`, ...its, `${two}, image 1`, ...its]);
    // Names of other classes than the network's would be wrong.
    const foreign = await predict(file, { signature: { ...signature, classes: ['ant'] } });
    expect(Object.keys(foreign.json)).not.toContain('names');
    expect(foreign.lines).toEqual(plain.lines);
  });

  it('refuses a tensor of another size, an empty one, and flags that standardise it', async () => {
    const reads = 'the network reads images [3, 4, 4]: see --layout, --image-size and --image-channels';
    const tall = saved('tall', () => tensor(new Array(3 * 5 * 4).fill(0)).reshape([3, 5, 4]));
    expect(await refusal(() => predict(tall))).toBe(`${tall}: its tensor is [3,5,4]; ${reads}`);
    const none = saved('none', () => fromTypedArray(new Float32Array(0), [0, 3, 4, 4]));
    expect(await refusal(() => predict(none))).toBe(`${none}: its tensor is [0,3,4,4]; ${reads}`);
    const file = saved('as-it-is', one);
    for (const [flag, flags] of [
      ['--mean', { mean: [1] }],
      ['--std', { std: [1] }],
    ] as const)
      expect(await refusal(() => predict(file, { flags }))).toBe(
        `${flag} 1: the tensor of ${file} is read as it is`,
      );
  });

  /** An image of one colour: 0.4, 0.2 and 0.8. */
  const flat = join(folder, 'flat.png');
  const colour = sharp({ create: { width: 8, height: 8, channels: 3, background: '#6633cc' } });
  /** With a white frame of a pixel. */
  const framed = join(folder, 'framed.png');
  const drawn = Promise.all([
    colour.clone().png().toFile(flat),
    colour
      .clone()
      .extend({ top: 1, bottom: 1, left: 1, right: 1, background: '#ffffff' })
      .png()
      .toFile(framed),
  ]);
  const logitsOf = (report: Awaited<ReturnType<typeof predict>>) => (report.json.logits as number[][])[0]!;

  it('standardises an image file by the flags, or by the training, or as published networks are', async () => {
    await drawn;
    const byFlags = await predict(flat, { flags: { mean: [0.4, 0.1, 0.3], std: [1, 0.25, 0.5] } });
    for (const [i, expected] of [0, 0.4, 1].entries()) expect(logitsOf(byFlags)[i]).toBeCloseTo(expected, 6);
    expect(byFlags.json.standardised).toEqual({
      of: '--mean and --std',
      mean: [0.4, 0.1, 0.3],
      std: [1, 0.25, 0.5],
    });
    expect(byFlags.notes).toEqual([
      'pixels standardised by mean 0.4, 0.1, 0.3 and standard deviation 1, 0.25, 0.5 (from --mean and --std)',
    ]);
    const trained = await predict(flat, { signature });
    for (const [i, expected] of [0, 0, 1].entries()) expect(logitsOf(trained)[i]).toBeCloseTo(expected, 6);
    expect(trained.json.standardised).toMatchObject({ of: 'the training' });
    expect((await predict(flat)).json.standardised).toMatchObject({
      of: 'CIFAR-10',
      std: [0.24703233, 0.24348505, 0.26158768],
    });
    expect((await predict(flat, { layout: 'imagenet' })).json.standardised).toMatchObject({
      of: 'ImageNet',
      mean: [0.485, 0.456, 0.406],
    });
  });

  it('cuts the edges off where the training resized its images, or those of the layout are resized', async () => {
    await drawn;
    const expected = async (
      margin: number,
      mean: readonly number[],
      standardDeviation: readonly number[],
    ) => {
      const image = await readImage(framed, 3);
      return evaluationView(
        image,
        { height: 4, width: 4, margin },
        { mean: Float64Array.from(mean), standardDeviation: Float64Array.from(standardDeviation) },
      )
        .mean([2, 3])
        .toNumbers();
    };
    const whole = await expected(1, signature.mean, signature.standardDeviation);
    const cut = await expected(256 / 224, signature.mean, signature.standardDeviation);
    expect(cut).not.toEqual(whole);
    expect(logitsOf(await predict(framed, { signature }))).toEqual(whole);
    expect(logitsOf(await predict(framed, { signature: { ...signature, resized: true } }))).toEqual(cut);
    // What the training did counts more than the layout.
    expect(logitsOf(await predict(framed, { signature, layout: 'imagenet' }))).toEqual(whole);
    const flags = { mean: signature.mean, std: signature.standardDeviation };
    expect(logitsOf(await predict(framed, { flags }))).toEqual(whole);
    expect(logitsOf(await predict(framed, { flags, layout: 'imagenet' }))).toEqual(cut);
  });

  it('refuses numbers that do not fit the channels', async () => {
    await drawn;
    const ask = (flags: object, more: object = {}) => refusal(() => predict(flat, { flags, ...more }));
    expect(await ask({ mean: [0, 0, 0] })).toBe('--std is missing: --mean and --std go together');
    expect(await ask({ std: [1, 1, 1] })).toBe('--mean is missing: --mean and --std go together');
    expect(await ask({ mean: [0, 0], std: [1, 1, 1] })).toBe(
      "--mean 0,0: 2 numbers; the network's images have 3 channels, a number each",
    );
    expect(await ask({ mean: [0, 0, 0], std: [0, 1, 1] })).toBe('--std 0,1,1: number 1 is not above 0');
    expect(await ask({ mean: [0, 0, 0], std: [1, 1, -1] })).toBe('--std 1,1,-1: number 3 is not above 0');
    expect(await ask({}, { input: { channels: 1 } })).toBe(
      'images of 1 channels, but the statistics of CIFAR-10 are of 3: give --mean and --std',
    );
    expect(await ask({}, { signature: { classes: [] } })).toContain('not the signature of a classifier: ');
  });
});

/** Predicts each token's own number of the three in the vocabulary, with the logarithm of 2 against the others' 0. */
class Echo extends nn.Module {
  readonly vocabulary = 3;

  initialState(): LanguageModelState {
    return [];
  }

  forward(tokens: Tensor, state: LanguageModelState) {
    const logits = tokens.oneHot(3).to({ dtype: 'float32' }).mul(Math.log(2));
    return { logits, state, activations: { raw: logits, dropped: logits } };
  }
}

describe('the prediction of tokens', () => {
  const space = Space.configure(dartsRnn);
  const predict = (file: string, signature?: Readonly<Record<string, Json>>) =>
    languageModelling.predict({
      network: new Echo() as never,
      input: { vocabulary: 3 },
      space: space as never,
      file,
      signature,
      flags: {},
    });
  const tokens = (values: readonly number[], shape: readonly number[]) =>
    fromTypedArray(BigInt64Array.from(values, BigInt), [...shape]);

  it('is of one text or several, with their perplexities, and names words where the training had some', async () => {
    // Of 2, 2, 0 the second token has the probability 1/2, the third 1/4.
    const file = saved('text', () => tokens([2, 2, 0], [3]));
    const plain = await predict(file);
    expect(plain.json).toMatchObject({ space: 'darts-rnn', input: { vocabulary: 3 }, classes: [0] });
    expect((plain.json.perplexities as number[])[0]).toBeCloseTo(Math.sqrt(8), 5);
    expect(Object.keys(plain.json)).not.toContain('names');
    expect(plain.lines).toEqual([
      `${file}: perplexity 2.83; the next token`,
      '   50.00 %  token 0',
      '   25.00 %  token 1',
      '   25.00 %  token 2',
    ]);
    const several = saved('texts', () => tokens([1, 2, 1, 0], [2, 2]));
    const named = await predict(several, { vocabulary: ['a', 'b', 'c'] });
    expect(named.json).toMatchObject({ classes: [1, 0], names: ['b', 'a'] });
    expect(named.lines.filter((line) => !line.endsWith('%'))).toContain(
      `${several}, text 0: perplexity 2.00; the next token`,
    );
    expect(named.lines).toContain(`${several}, text 1: perplexity 4.00; the next token`);
    expect(named.lines).toContain('   50.00 %  b');
    // Of characters bits: 3 / 2 of them each.
    const characters = await predict(file, { level: 'character', vocabulary: ['a', ' ', 'c'] });
    expect((characters.json.bpc as number[])[0]).toBeCloseTo(1.5, 5);
    expect(Object.keys(characters.json)).not.toContain('perplexities');
    expect(characters.lines.slice(0, 3)).toEqual([
      `${file}: 1.500 bits per character; the next token`,
      '   50.00 %  a',
      "   25.00 %  ' '",
    ]);
    // A vocabulary that is too short names what it has.
    expect((await predict(file, { vocabulary: ['a'] })).lines.slice(1)).toEqual([
      '   50.00 %  a',
      '   25.00 %  token 1',
      '   25.00 %  token 2',
    ]);
    const single = saved('single', () => tokens([1], [1]));
    expect((await predict(single)).lines[0]).toBe(`${single}; the next token`);
  });

  it('refuses what is no tensor of tokens', async () => {
    expect(await refusal(() => predict('text.txt'))).toBe(
      '--input text.txt: the networks of space darts-rnn read tokens, and only a training knows those of a text; allowed ' +
        'here: a .safetensors file with one int64 tensor [T] or [T, N]',
    );
  });

  it('is of the beginning of a text too, whose tokens are made as in the training', async () => {
    const text = (content: string) => {
      const file = join(folder, 'beginning.txt');
      writeFileSync(file, content);
      return file;
    };
    const next = async (content: string, vocabulary: readonly string[], level = 'character') =>
      ((await predict(text(content), { level, vocabulary: [...vocabulary] })).json.names as string[])[0];
    // The model expects the last token once more. No line end, no end of the text.
    expect(await next(' b\ta', ['a', ' ', 'b'])).toBe('a');
    expect(await next('a \t', ['a', ' ', 'b'])).toBe(' ');
    expect(await next('a ', ['a', 'b', '<eos>'], 'word')).toBe('a');
    expect(await next('a\n', ['a', 'b', '<eos>'])).toBe('<eos>');
    expect(await next('a b', ['a', 'b', '<eos>'])).toBe('b');
    expect(await next('ab b', ['ab', 'b', '<eos>'], 'word')).toBe('b');
    const json = (await predict(text('aba'), { level: 'character', vocabulary: ['a', ' ', 'b'] })).json;
    expect(json.bpc).toHaveLength(1);
    await expect(next('a\u00e9', ['a', ' ', 'b'])).rejects.toThrow(
      'has the character "\u00e9", which the text that the model was trained on does not have; allowed: its 3 characters',
    );
    await expect(next('ac', ['ab', 'b', '<eos>'], 'word')).rejects.toThrow('has the word "ac", which');
    await expect(next(' \n', ['a', ' ', 'b'])).rejects.toThrow('has no word (2 bytes); expected a text');
  });
});
