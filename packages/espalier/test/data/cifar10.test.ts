import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCifar10 } from '../../src/data/cifar10.js';
import { channelStatistics } from '../../src/data/statistics.js';
import { InputError } from '../../src/input-error.js';
import { countByClass, scrambled } from './tiny-set.js';

/** A file in the official format: for each label one byte and 3 planes of 32 x 32. */
function batchFile(labels: readonly number[], seed = 0): Buffer {
  const pixels = scrambled((seed + labels.length) * 3072).subarray(seed * 3072);
  return Buffer.concat(
    labels.flatMap((label, i) => [Uint8Array.of(label), pixels.subarray(i * 3072, (i + 1) * 3072)]),
  );
}

let folder: string;
const path = (name: string) => join(folder, name);
const write = (name: string, bytes: Buffer | string) => writeFileSync(path(name), bytes);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'espalier-cifar-'));
  write('data_batch_1.bin', batchFile([6, 9, 0]));
  write('data_batch_2.bin', batchFile([4], 5));
  write('test_batch.bin', batchFile([3, 8], 9));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('CIFAR-10 from its binary files', () => {
  it('turns planes of channels into pixels of channels', () => {
    const { train, test } = openCifar10(folder);
    expect(train).toMatchObject({ count: 4, height: 32, width: 32, channels: 3 });
    expect(test).toMatchObject({ count: 2, height: 32, width: 32, channels: 3 });
    const files: [typeof train, Buffer][] = [
      [train, Buffer.concat([batchFile([6, 9, 0]), batchFile([4], 5)])],
      [test, batchFile([3, 8], 9)],
    ];
    for (const [set, file] of files) {
      const expected = new Uint8Array(set.count * 3072);
      for (let n = 0; n < set.count; n++) {
        for (let c = 0; c < 3; c++) {
          for (let y = 0; y < 32; y++) {
            for (let x = 0; x < 32; x++) {
              expected[((n * 32 + y) * 32 + x) * 3 + c] = file[n * 3073 + 1 + (c * 32 + y) * 32 + x]!;
            }
          }
        }
      }
      expect(Buffer.compare(set.images, expected)).toBe(0);
    }
    expect([...train.labels]).toEqual([6, 9, 0, 4]);
    expect([...test.labels]).toEqual([3, 8]);
  });

  it('takes the training files that are there, in the order of their numbers', () => {
    write('data_batch_5.bin', batchFile([7]));
    rmSync(path('data_batch_1.bin'));
    expect([...openCifar10(folder).train.labels]).toEqual([4, 7]);
  });

  it('says which training files are missing', () => {
    expect(openCifar10(folder).notes).toEqual([
      'The training set has 4 images from 2 of 5 files: ' +
        'data_batch_3.bin, data_batch_4.bin, data_batch_5.bin are missing.',
    ]);
    for (const number of [3, 4]) write(`data_batch_${number}.bin`, batchFile([1]));
    expect(openCifar10(folder).notes).toEqual([
      'The training set has 6 images from 4 of 5 files: data_batch_5.bin is missing.',
    ]);
    write('data_batch_5.bin', batchFile([1]));
    expect(openCifar10(folder).notes).toEqual([]);
  });

  it('names the classes after batches.meta.txt, or as they are known', () => {
    const known = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];
    expect(openCifar10(folder).classes).toEqual(known);
    write('batches.meta.txt', 'a\r\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n');
    expect(openCifar10(folder).classes).toEqual([...'abcdefghij']);
  });

  it('has the same checksum however the files divide it, and another with one byte changed', () => {
    const before = openCifar10(folder).checksum();
    rmSync(path('data_batch_2.bin'));
    write('data_batch_1.bin', Buffer.concat([batchFile([6, 9, 0]), batchFile([4], 5)]));
    expect(openCifar10(folder).checksum()).toBe(before);
    const changed = batchFile([3, 8], 9);
    changed[3072]! ^= 1;
    write('test_batch.bin', changed);
    expect(openCifar10(folder).checksum()).not.toBe(before);
  });
});

describe('CIFAR-10 is refused with one message', () => {
  const refused = (message: string, where = folder) => {
    expect(() => openCifar10(where)).toThrow(new InputError(message));
  };

  it('when the folder is missing or a file', () => {
    const wanted = 'expected the folder of the binary version of CIFAR-10';
    refused(`${path('no')}: does not exist; ${wanted}`, path('no'));
    refused(`${path('test_batch.bin')}: is a file; ${wanted}`, path('test_batch.bin'));
    const under = join(path('test_batch.bin'), 'x');
    refused(`${under}: does not exist (a part of the path is a file); ${wanted}`, under);
  });

  it('when there is no training file', () => {
    rmSync(path('data_batch_1.bin'));
    rmSync(path('data_batch_2.bin'));
    refused(
      `${folder}: has none of data_batch_1.bin, data_batch_2.bin, data_batch_3.bin, data_batch_4.bin, ` +
        'data_batch_5.bin; expected at least one',
    );
  });

  it('when the test file is missing or a folder', () => {
    rmSync(path('test_batch.bin'));
    const wanted = 'expected a file of the binary version of CIFAR-10';
    refused(`${path('test_batch.bin')}: does not exist; ${wanted}`);
    mkdirSync(path('test_batch.bin'));
    refused(`${path('test_batch.bin')}: is a folder; ${wanted}`);
  });

  it('when a training file is a link to nothing', () => {
    symlinkSync('nowhere', path('data_batch_3.bin'));
    refused(`${path('data_batch_3.bin')}: does not exist; expected a file of the binary version of CIFAR-10`);
  });

  it.each([0, 1, 3072, 3074, 6145])('when a file is cut to %d bytes', (bytes) => {
    truncateSync(path('data_batch_1.bin'), bytes);
    refused(
      `${path('data_batch_1.bin')}: has ${bytes} bytes; expected a multiple of 3073 ` +
        '(1 label byte and 3072 pixel bytes per image), 1 image or more',
    );
  });

  it('when a label is above 9', () => {
    write('data_batch_2.bin', batchFile([1, 2, 10, 3]));
    refused(`${path('data_batch_2.bin')}: label 10 of image 2 (byte 6146 of 12292); expected 0 to 9`);
  });

  it('when there are not ten names', () => {
    write('batches.meta.txt', 'cat\ndog\n');
    refused(`${path('batches.meta.txt')}: has 2 names (8 bytes); expected 10, one per line`);
  });
});

const shared = fileURLToPath(new URL('../../../../../shared/data/cifar-10-batches-bin', import.meta.url));

describe.skipIf(!existsSync(shared))('the part of the real CIFAR-10 that lies beside the checkout', () => {
  it('has 2,000 images a class to train and 500 to test, and the published statistics', () => {
    const { train, test } = openCifar10(shared);
    expect(countByClass(train.labels, 10)).toEqual(new Array(10).fill(2000));
    expect(countByClass(test.labels, 10)).toEqual(new Array(10).fill(500));
    // Of all 50,000 images; these are 20,000 of them.
    const { mean, standardDeviation } = channelStatistics(train);
    [0.4914, 0.4822, 0.4465].forEach((value, c) => {
      expect(Math.abs(mean[c]! - value)).toBeLessThan(0.003);
    });
    [0.247, 0.2435, 0.2616].forEach((value, c) => {
      expect(Math.abs(standardDeviation[c]! - value)).toBeLessThan(0.003);
    });
  }, 30_000);
});
