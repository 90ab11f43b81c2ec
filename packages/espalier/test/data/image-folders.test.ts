import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Batch, batches } from '../../src/data/batches.js';
import { openImageFolders } from '../../src/data/image-folders.js';
import { firstImages, holdOut } from '../../src/data/split.js';
import { InputError } from '../../src/input-error.js';
import { writeImage, writeImageFolders } from './image-files.js';
import { bytesAsTheyAre } from './tiny-set.js';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'espalier-images-'));
  await writeImageFolders(folder, [2, 4, 2]);
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (size = 4) => openImageFolders(folder, size);

describe('image folders', () => {
  it('have a class for each folder and the images of all, dealt out by class', () => {
    const { kind, classes, train, test } = open();
    expect([kind, classes]).toEqual(['images', ['ant', 'bee', 'cat']]);
    expect(train).toMatchObject({ count: 8, height: 4, width: 4, channels: 3 });
    expect(train.files).toEqual([
      ...['train/bee/0.png', 'train/ant/0.png', 'train/cat/0.png', 'train/bee/1.png'],
      ...['train/bee/2.png', 'train/ant/1.png', 'train/cat/1.png', 'train/bee/3.png'],
    ]);
    expect([...train.labels]).toEqual([1, 0, 2, 1, 1, 0, 2, 1]);
    expect(test.files).toEqual(['val/ant/only.jpeg', 'val/bee/only.jpeg', 'val/cat/only.jpeg']);
    expect(openImageFolders(folder).train).toMatchObject({ height: 224, width: 224 });
  });

  it('test on the folder test where there is one', async () => {
    await writeImage(join(folder, 'test', 'bee', '1.png'), [0, 0, 0]);
    expect(open().test.files).toEqual(['test/bee/1.png']);
  });

  it('pass over what is no image, and follow links to folders', async () => {
    writeFileSync(join(folder, 'train', 'labels.txt'), 'x');
    writeFileSync(join(folder, 'train', 'ant', '.hidden.png'), 'x');
    writeFileSync(join(folder, 'train', 'ant', 'note.txt'), 'x');
    mkdirSync(join(folder, 'train', '.cache'));
    renameSync(join(folder, 'train', 'cat'), join(folder, 'elsewhere'));
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'train', 'cat'));
    const { classes, train } = open();
    expect(classes).toEqual(['ant', 'bee', 'cat']);
    expect(train.count).toBe(8);
  });

  it('have a checksum of paths, sizes and labels', async () => {
    const before = open().checksum();
    expect(open(8).checksum()).toBe(before);
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    await writeImage(join(folder, 'train', 'ant', '0.png'), [1, 2, 3], { height: 200 });
    const changed = open().checksum();
    expect(changed).not.toBe(before);
    renameSync(join(folder, 'train', 'ant', '0.png'), join(folder, 'train', 'ant', '00.png'));
    expect(open().checksum()).not.toBe(changed);
  });

  it.each([
    [
      'nothing',
      () => rmSync(join(folder, 'train'), { recursive: true }),
      'train: does not exist; expected a folder with a folder of images for each class',
    ],
    [
      'no test',
      () => rmSync(join(folder, 'val'), { recursive: true }),
      'val: does not exist; expected a folder',
    ],
    [
      'an empty class',
      () => mkdirSync(join(folder, 'train', 'dog')),
      'train/dog: has no image (PNG, JPEG, WebP, GIF, TIFF); each class needs at least 1',
    ],
    [
      'one class',
      () =>
        ['bee', 'cat'].forEach((name) => {
          rmSync(join(folder, 'train', name), { recursive: true });
        }),
      'train: has 1 folders of classes; at least 2 are needed',
    ],
    [
      'a class to test only',
      () => renameSync(join(folder, 'train', 'cat'), join(folder, 'train', 'dog')),
      'val/cat: there is no such class in train',
    ],
  ])('of %s are refused', (_, change, message) => {
    change();
    expect(() => open()).toThrow(InputError);
    expect(() => open()).toThrow(message);
  });

  it('are divided and limited as images in memory are', () => {
    const { train } = open();
    expect(firstImages(train, 3).files).toEqual(train.files.slice(0, 3));
    const halves = holdOut(train, { count: 4, seed: 1, stratified: true });
    expect([...halves.train.files, ...halves.heldOut.files].sort()).toEqual([...train.files].sort());
    expect([...halves.heldOut.labels].sort()).toEqual([0, 1, 1, 2]);
    halves.heldOut.files.forEach((file, i) => {
      expect(['ant', 'bee', 'cat'][halves.heldOut.labels[i]!]).toBe(file.split('/')[1]);
    });
  });
});

describe('a pass over image files', () => {
  const statistics = bytesAsTheyAre(3);
  const copied = (passed: Iterable<Batch>) =>
    Array.from(passed, ({ images, labels }) => ({ images: [...images], labels: [...labels].map(Number) }));
  const augmentation = { crop: { from: 'parts', least: 0.08 }, flip: true } as const;

  it('without training has the images in order, each in its colour', () => {
    const { train } = open();
    const [first, second, third] = copied(batches(train, { size: 3, statistics }));
    expect([first?.labels, second?.labels, third?.labels]).toEqual([
      [1, 0, 2],
      [1, 1, 0],
      [2, 1],
    ]);
    // The third image of the second batch is the second of ants.
    expect(second?.images.slice(-3)).toEqual([0, 10, 50]);
    expect(third?.images).toHaveLength(2 * 4 * 4 * 3);
  });

  it('of an epoch is the same again, whatever the size of a batch', () => {
    const { train } = open(8);
    const pass = (size: number, epoch = 1, seed = 1) => {
      const all = copied(
        batches(train, {
          size,
          statistics,
          training: {
            seed,
            epoch,
            augmentation: { ...augmentation, colour: { strength: 0.4, hue: 0.2 }, cutout: 2 },
          },
        }),
      );
      return { images: all.flatMap(({ images }) => images), labels: all.flatMap(({ labels }) => labels) };
    };
    expect(pass(3)).toEqual(pass(8));
    expect(pass(3).images).not.toEqual(pass(3, 2).images);
    expect(pass(3).labels.toSorted()).toEqual([0, 0, 1, 1, 1, 1, 2, 2]);
  });

  it('may be left before its end, and two may go on side by side', () => {
    const { train } = open();
    const whole = copied(batches(train, { size: 2, statistics }));
    const left = batches(train, { size: 2, statistics });
    left.next();
    const one = batches(train, { size: 2, statistics });
    const other = batches(train, { size: 2, statistics });
    const together = whole.map(() => {
      const [a] = copied([one.next().value as Batch]);
      const [b] = copied([other.next().value as Batch]);
      return { a, b };
    });
    left.return();
    expect(together.map(({ a }) => a)).toEqual(whole);
    expect(together.map(({ b }) => b)).toEqual(whole);
  });

  it('ends with the name of a file that cannot be read, when it comes to it', () => {
    const { train } = open();
    const broken = join(folder, train.files[5]!);
    writeFileSync(broken, 'no image');
    const passed = batches(train, { size: 2, statistics });
    passed.next();
    passed.next();
    expect(() => passed.next()).toThrow(
      new InputError(
        `${broken}: Input file contains unsupported image format; expected an image (PNG, JPEG, WebP, GIF, TIFF)`,
      ),
    );
    rmSync(broken);
    expect(() => copied(batches(train, { size: 2, statistics }))).toThrow(`${broken}: Input file is missing`);
  });
});
