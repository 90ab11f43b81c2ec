import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setThreads } from '@espalier/torch';
import * as ort from 'onnxruntime-web';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { addExport } from '../../src/cli/export.js';
import { addPredict } from '../../src/cli/predict.js';
import { addTest } from '../../src/cli/test.js';
import { addTrain } from '../../src/cli/train.js';
import { writeTinyCamvid } from '../data/tiny-masks.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';

setThreads(1);
ort.env.wasm.numThreads = 1;

const folder = suiteFolder();
/** The colours of CamVid. */
const COLOURS = [
  '128,128,128',
  '128,0,0',
  '192,192,128',
  '128,64,128',
  '60,40,222',
  '128,128,0',
  '192,128,128',
].concat(['64,64,128', '64,0,128', '64,64,0', '0,128,192']);

beforeAll(async () => {
  process.chdir(folder);
  await writeTinyCamvid('camvid', { train: 6, val: 2, test: 3 });
  await printed(addTrain, [
    ...['train', 'auto-deeplab-s', '--data', 'camvid:camvid', '--preset', 'small', '--epochs', '1'],
    ...['--filter-multiplier', '2', '--threads', '1', '--batch-size', '3', '--out', 'trained', '--json'],
    // After two longer steps the running statistics of so few pixels do not fit, and the outputs may be infinite.
    ...['--set', 'learningRate=0.001'],
  ]);
}, 120_000);

/** The pixels of an image file, as texts. */
async function pixelsOf(file: string): Promise<string[]> {
  const { data } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  return Array.from({ length: data.length / 3 }, (_, pixel) =>
    data.subarray(3 * pixel, 3 * pixel + 3).join(),
  );
}

describe('a trained segmenter', () => {
  it('journals the confusion and the intersection over union of each class', () => {
    const [end] = readFileSync('trained/journal.jsonl', 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === 'end');
    expect(Object.keys(end.measures)).toEqual(['miou', 'pixelAccuracy', 'loss']);
    expect(end.details.iou).toHaveLength(11);
    const pixels = end.details.confusion.reduce((sum: number, [, , count]: number[]) => sum + count!, 0);
    expect(pixels).toBe(3 * 12 * 16);
    expect(readdirSync('trained/samples')).toEqual(['0.png', '1.png', '2.png']);
    expect(readFileSync('trained/report.html', 'utf8')).toContain('Predictions on the test data');
  });

  it('predicts the class of each pixel, as a mask in the colours of the classes and as an overlay', async () => {
    const image = 'camvid/test/1.png';
    const found = JSON.parse(
      await printed(addPredict, ['predict', 'trained', '--input', image, '--out', 'mask.png', '--json']),
    );
    expect(found).toMatchObject({
      width: 16,
      height: 12,
      files: { mask: 'mask.png', overlay: 'mask-overlay.png' },
    });
    const shares = found.classes.map(({ share }: { share: number }) => share);
    expect(shares.reduce((sum: number, share: number) => sum + share, 0)).toBeCloseTo(1, 9);
    const mask = await pixelsOf('mask.png');
    expect(mask).toHaveLength(12 * 16);
    for (const { label, share } of found.classes)
      expect(mask.filter((colour) => colour === COLOURS[label])).toHaveLength(Math.round(share * 12 * 16));
    const [overlay, original] = [await pixelsOf('mask-overlay.png'), await pixelsOf(image)];
    const halfway = original.map((pixel, place) => {
      const over = mask[place]!.split(',').map(Number);
      return pixel.split(',').map((value, channel) => Math.round((Number(value) + over[channel]!) / 2));
    });
    expect(overlay).toEqual(halfway.map((pixel) => pixel.join()));
  });

  it('is tested again: to the same measures, or otherwise, or on other data of the same classes', async () => {
    const test = async (...more: string[]) =>
      JSON.parse(await printed(addTest, ['test', 'trained', '--threads', '1', '--json', ...more]));
    const end = JSON.parse(readFileSync('trained/journal.jsonl', 'utf8').trim().split('\n').at(-1)!);
    expect(await test()).toEqual({ run: 'trained', measures: end.measures, details: end.details });
    const flipped = await test('--set', 'evalFlip=true', '--set', 'evalScales=[1,1.5]');
    expect(flipped.measures.loss).not.toBe(end.measures.loss);
    await writeTinyCamvid('others', { train: 1, val: 1, test: 2 }, { height: 10, width: 14 });
    const other = await test('--data', 'camvid:others');
    const pixels = other.details.confusion.reduce((sum: number, [, , count]: number[]) => sum + count!, 0);
    expect(pixels).toBe(2 * 10 * 14);
    expect(await printed(addTest, ['test', 'trained', '--threads', '1'])).toMatch(
      /^test miou \d+\.\d\d%\ntest pixelAccuracy .*\ntest loss .*\n {2}[ \dn].* {2}sky\n(.*\n){9}.* {2}bicyclist\n$/,
    );
  });

  it('is not tested on data of other classes, nor with options that a training does not have', async () => {
    mkdirSync('few/masks', { recursive: true });
    cpSync('camvid/train', 'few/images', { recursive: true });
    cpSync('camvid/trainannot', 'few/masks', { recursive: true });
    expect(await refusal(addTest, ['test', 'trained', '--data', 'masks:few,classes=12'])).toBe(
      '--data masks:few,classes=12: its classes or its normalisation are others than those that trained was trained with',
    );
    expect(await refusal(addTest, ['test', 'trained', '--set', 'scales=2'])).toMatch(/scales/);
  });

  it('averages the probabilities of several scales, of the mirrored image, and of tiles', async () => {
    const shares = async (...more: string[]) => {
      const args = ['predict', 'trained', '--input', 'camvid/test/1.png', '--json', ...more];
      const { classes } = JSON.parse(await printed(addPredict, args));
      return classes.reduce((sum: number, { share }: { share: number }) => sum + share, 0);
    };
    for (const more of [['--flip'], ['--scales', '0.5,1,1.5'], ['--tile', '9', '--flip', '--scales', '1,2']])
      expect(await shares(...more)).toBeCloseTo(1, 9);
    const args = ['predict', 'trained', '--input', 'camvid/test/1.png', '--scales', '1,9'];
    expect(await refusal(addPredict, args)).toMatch(
      /Allowed: numbers above 0, up to 8, with commas between them/,
    );
  });

  it('says what an image holds without --out', async () => {
    expect(await printed(addPredict, ['predict', 'trained', '--input', 'camvid/test/0.png'])).toMatch(
      /^camvid\/test\/0\.png\n( {2} *\d+\.\d\d% {2}[a-z]+\n)+$/,
    );
  });

  it.each([
    ['mask.jpg', '--out mask.jpg: allowed: a name that ends with .png; the overlay is written beside it'],
    [join('nowhere', 'mask.png'), '--out nowhere/mask.png: there is no folder nowhere'],
  ])('is refused to write %s', async (out, message) => {
    const args = ['predict', 'trained', '--input', 'camvid/test/0.png', '--out', out];
    expect(await refusal(addPredict, args)).toBe(message);
  });

  it.each([
    [12, 16],
    [33, 20],
  ])('is exported to ONNX for images of %i x %i', async (height, width) => {
    await printed(addExport, [
      ...['export', 'trained', '--format', 'onnx', '--out', 'network.onnx'],
      ...['--set', `input.height=${height}`, '--set', `input.width=${width}`],
    ]);
    const session = await ort.InferenceSession.create(readFileSync('network.onnx'), {
      executionProviders: ['wasm'],
      logSeverityLevel: 3,
    });
    const values = Float32Array.from({ length: 3 * height * width }, (_, i) => Math.sin(i));
    const { logits } = await session.run({ image: new ort.Tensor('float32', values, [1, 3, height, width]) });
    expect(logits!.dims).toEqual([1, 11, height, width]);
    await session.release();
  });

  it('is exported to one ONNX file for images of any size', async () => {
    await printed(addExport, ['export', 'trained', '--format', 'onnx', '--any-size', '--out', 'any.onnx']);
    const session = await ort.InferenceSession.create(readFileSync('any.onnx'), {
      executionProviders: ['wasm'],
      logSeverityLevel: 3,
    });
    const shapeOf = (metadata: readonly ort.InferenceSession.ValueMetadata[]) =>
      (metadata[0] as unknown as { shape: unknown }).shape;
    expect(shapeOf(session.inputMetadata)).toEqual(['batch', 3, 'height', 'width']);
    expect(shapeOf(session.outputMetadata)).toEqual(['batch', 11, 'height', 'width']);
    await session.release();
    expect(
      await refusal(addExport, ['export', 'trained', '--format', 'pytorch', '--any-size', '--out', 'n.py']),
    ).toBe('--any-size: only onnx has free sizes');
    const text = ['export', 'darts-v2-rnn', '--format', 'onnx', '--any-size', '--hidden', '4'];
    expect(await refusal(addExport, text)).toMatch(
      /^--any-size: the networks of space darts-rnn read tokens/,
    );
  });

  it('is exported as a PyTorch program', async () => {
    await printed(addExport, ['export', 'trained', '--format', 'pytorch', '--out', 'network.py']);
    expect(readFileSync('network.py', 'utf8')).toContain('interpolate');
    expect(existsSync('network.safetensors')).toBe(true);
  });
});
