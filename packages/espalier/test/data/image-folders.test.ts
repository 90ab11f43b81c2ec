import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
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
/** The same without one of its folders. */
const openWithout = (name: string) => {
  rmSync(join(folder, name), { recursive: true });
  return open();
};
/** Writes a file that is no image into the folder. */
const write = (path: string, content: string | Uint8Array = 'x') => {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
};

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

  it('test on the folder test where there is one, and validate on val', async () => {
    await writeImage(join(folder, 'test', 'bee', '1.png'), [0, 0, 0]);
    const { train, validation, test, notes } = open();
    expect(train.count).toBe(8);
    expect(validation?.files).toEqual(['val/ant/only.jpeg', 'val/bee/only.jpeg', 'val/cat/only.jpeg']);
    expect(test.files).toEqual(['test/bee/1.png']);
    expect(notes).toEqual([]);
    expect(open().checksum()).not.toBe(openWithout('val').checksum());
  });

  it.each(['valid', 'validation'])('validate on %s too', async (name) => {
    await writeImage(join(folder, 'test', 'bee', '1.png'), [0, 0, 0]);
    renameSync(join(folder, 'val'), join(folder, name));
    expect(open().validation?.files[0]).toBe(`${name}/ant/only.jpeg`);
  });

  it('say what stands beside the parts', () => {
    for (const name of ['a.txt', 'b.txt', '.hidden', 'more/x.png', 'val2/x.png', 'words.txt', 'z.csv'])
      write(name);
    expect(open().notes).toEqual([
      `${folder}: 7 entries are passed over beside train, val: .hidden, a.txt, b.txt, more, val2 and 2 more.`,
    ]);
  });

  /** Two classes of 20 and 4 images, without the folder train. */
  const makeFlat = () => {
    for (const part of ['train', 'val']) rmSync(join(folder, part), { recursive: true });
    for (let image = 0; image < 20; image++) write(`dog/${image}.png`);
    for (let image = 0; image < 4; image++) write(`cow/below/${image}.png`);
  };

  it('that are classes themselves are split, a tenth of each class, the same each time', () => {
    makeFlat();
    const { classes, train, validation, test, notes } = open();
    expect(classes).toEqual(['cow', 'dog']);
    expect([train.count, validation, test.count]).toEqual([21, undefined, 3]);
    expect([...test.labels].toSorted()).toEqual([0, 1, 1]);
    const all = [...train.files, ...test.files];
    expect(new Set(all).size).toBe(24);
    expect(open().test.files).toEqual(test.files);
    expect(notes).toEqual([
      `${folder} has no folder train, so 3 of the 24 images in ${folder}, a tenth of each class drawn at random, are the ` +
        'test set, the same in every run.',
    ]);
    rmSync(join(folder, 'cow', 'below'), { recursive: true });
    write('cow/only.png');
    expect(() => open()).toThrow(
      new InputError(
        `${folder}: the class 'cow' has 1 image; at least 2 are needed, one to train on and one to test on`,
      ),
    );
  });

  it.each([
    ['there is no other', () => {}, (name: string) => `${name} has neither test nor val`],
    [
      'no other has labels',
      () => {
        write('val/1.png');
        write('test/1.png');
      },
      () => 'The images in test and val have no labels',
    ],
  ])('split train where %s', (_, change, why) => {
    rmSync(join(folder, 'val'), { recursive: true });
    change();
    const { train, test, notes } = open();
    expect([train.count, test.count]).toEqual([5, 3]);
    expect([...test.labels].toSorted()).toEqual([0, 1, 2]);
    expect(notes).toEqual([
      `${why(folder)}, so 3 of the 8 images in train, a tenth of each class drawn at random, are the test set, ` +
        'the same in every run.',
    ]);
  });

  it("have the images of torchvision's ImageFolder: by their extensions, and in folders below a class", () => {
    for (const name of ['a.bmp', 'b.PPM', 'c.pgm', 'more/d.TIFF', 'more/below/e.webp', 'more/f.tif'])
      write(`train/ant/${name}`);
    const { train, notes } = open();
    expect(train.files.filter((file) => file.startsWith('train/ant/')).toSorted()).toEqual([
      ...['train/ant/0.png', 'train/ant/1.png', 'train/ant/a.bmp', 'train/ant/b.PPM', 'train/ant/c.pgm'],
      ...['train/ant/more/below/e.webp', 'train/ant/more/d.TIFF', 'train/ant/more/f.tif'],
    ]);
    expect(train.count).toBe(14);
    expect(notes).toEqual([]);
  });

  it('follow links, and say what they pass over', () => {
    write('train/labels.txt');
    write('train/.cache/x.png');
    write('train/ant/.hidden.png');
    write('train/ant/note.txt');
    write('train/ant/more/note.TXT');
    write('train/ant/README');
    write('val/ant/animated.gif');
    renameSync(join(folder, 'train', 'cat'), join(folder, 'elsewhere'));
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'train', 'cat'));
    symlinkSync(join(folder, 'elsewhere', '0.png'), join(folder, 'train', 'ant', 'linked.png'));
    const { classes, train, notes } = open();
    expect(classes).toEqual(['ant', 'bee', 'cat']);
    expect(train.count).toBe(9);
    expect(notes).toEqual([
      'train: 6 files are passed over: 2 hidden, 1 without extension, 2 .txt, 1 outside the class folders.',
      'val: 1 file is passed over: 1 .gif.',
      `${folder}: 1 entry is passed over beside train, val: elsewhere.`,
    ]);
  });

  it('test on val if the images in test have no labels', () => {
    write('test/1.png');
    expect(open().notes).toEqual(['The images in test have no labels, so val is the test set.']);
    expect(open().test.files).toEqual(['val/ant/only.jpeg', 'val/bee/only.jpeg', 'val/cat/only.jpeg']);
    rmSync(join(folder, 'test', '1.png'));
    write('test/images/1.png');
    expect(open().test.count).toBe(3);
  });

  /** As Tiny ImageNet is shipped. */
  const makeTiny = (annotations: string) => {
    for (const name of ['ant', 'bee', 'cat']) {
      renameSync(join(folder, 'train', name), join(folder, 'train', 'images'));
      mkdirSync(join(folder, 'train', name));
      renameSync(join(folder, 'train', 'images'), join(folder, 'train', name, 'images'));
      write(`train/${name}/${name}_boxes.txt`);
    }
    rmSync(join(folder, 'val'), { recursive: true });
    for (const image of [0, 1, 2, 3]) write(`val/images/val_${image}.JPEG`);
    write('val/val_annotations.txt', annotations);
    write('test/images/test_0.JPEG');
    write('wnids.txt');
  };

  it('are read as Tiny ImageNet is shipped', () => {
    makeTiny('val_0.JPEG\tcat\t0\t32\t44\t62\nval_2.JPEG\tant\t0\t0\t1\t1\r\nval_1.JPEG\tcat\t0\t0\t1\t1\n');
    const { classes, train, test, notes } = open();
    expect(classes).toEqual(['ant', 'bee', 'cat']);
    expect(train.count).toBe(8);
    expect(train.files[0]).toBe('train/bee/images/0.png');
    expect(test.files).toEqual(['val/images/val_0.JPEG', 'val/images/val_2.JPEG', 'val/images/val_1.JPEG']);
    expect([...test.labels]).toEqual([2, 0, 2]);
    expect(notes).toEqual([
      'The images in test have no labels, so val is the test set.',
      'train: 3 files are passed over: 3 .txt.',
      'val: 1 file is passed over: 1 without a line in val_annotations.txt.',
      `${folder}: 1 entry is passed over beside train, test, val: wnids.txt.`,
    ]);
  });

  it.each([
    ['val_0.JPEG\tdog', "val_annotations.txt:1: there is no class 'dog' in train"],
    ['val_0.JPEG', "val_annotations.txt:1: there is no class '' in train"],
    ['\nval_9.JPEG\tant', "val_annotations.txt:2: there is no image 'val_9.JPEG' in "],
    ['val_0.JPEG ant\nval_0.JPEG bee', "val_annotations.txt:2: 'val_0.JPEG' has a line above already"],
  ])('of Tiny ImageNet are refused with the annotations %j', (annotations, message) => {
    makeTiny(annotations);
    expect(() => open()).toThrow(InputError);
    expect(() => open()).toThrow(message);
  });

  it.each([
    [
      'nothing',
      () => rmSync(join(folder, 'train'), { recursive: true }),
      'train: does not exist; expected a folder with a folder of images for each class',
    ],
    [
      'an empty class',
      () => mkdirSync(join(folder, 'train', 'dog')),
      'train/dog: has no image (.jpg, .jpeg, .png, .ppm, .bmp, .pgm, .tif, .tiff, .webp); each class needs at least 1',
    ],
    ['a class with a GIF only', () => write('train/dog/a.gif'), 'train/dog: has no image (.jpg, '],
    [
      'a folder images beside the classes',
      () => write('val/images/1.png'),
      'val/images: there is no such class in train',
    ],
    [
      'a class that is a link to nothing',
      () => symlinkSync('nowhere', join(folder, 'train', 'dog')),
      'train/dog: is a symbolic link to nowhere, which does not exist; remove or mend the link',
    ],
    [
      'an image that is a link to nothing',
      () => symlinkSync('/nowhere/x.png', join(folder, 'val', 'ant', 'x.png')),
      'val/ant/x.png: is a symbolic link to /nowhere/x.png, which does not exist',
    ],
    [
      'a link to itself',
      () => symlinkSync('x.png', join(folder, 'train', 'ant', 'x.png')),
      'train/ant/x.png: is a symbolic link to x.png, which leads back to itself',
    ],
    [
      'a link to a folder around it',
      () => symlinkSync('..', join(folder, 'train', 'ant', 'up')),
      'train/ant/up: a symbolic link leads back to ',
    ],
    [
      'a test set that is a link to nothing',
      () => symlinkSync('nowhere', join(folder, 'test')),
      'test: is a symbolic link to nowhere, which does not exist; remove or mend the link',
    ],
    [
      'one class',
      () =>
        ['bee', 'cat'].forEach((name) => {
          rmSync(join(folder, 'train', name), { recursive: true });
        }),
      'train: has 1 class; expected a folder of images for each of 2 classes or more',
    ],
    [
      'a class to test only',
      () => renameSync(join(folder, 'train', 'cat'), join(folder, 'train', 'dog')),
      'val/cat: there is no such class in train',
    ],
  ])('of %s are refused', (_, change, message) => {
    change();
    const { message: whole } = thrownBy(() => open());
    expect(whole.startsWith(folder)).toBe(true);
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
    const allowed = 'expected an image (PNG, JPEG, WebP, GIF, TIFF, BMP, PPM or PGM)';
    expect(() => passed.next()).toThrow(new InputError(`${broken}: has no known image format; ${allowed}`));
    rmSync(broken);
    expect(() => copied(batches(train, { size: 2, statistics }))).toThrow(
      new InputError(`${broken}: does not exist; ${allowed}`),
    );
  });

  it('warns once of a damaged file that can be decoded', () => {
    const fixtures = JSON.parse(readFileSync(new URL('fixtures/image-files.json', import.meta.url), 'utf8'));
    const file = write(
      'train/ant/damaged.jpg',
      Buffer.from(fixtures['junk-before-tables.jpg'].file, 'base64'),
    );
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    try {
      const { train } = open();
      for (let pass = 0; pass < 2; pass++) copied(batches(train, { size: 4, statistics }));
      expect(warned.mock.calls).toEqual([
        [`${file}: the image file is damaged, and is used as far as it can be decoded`],
      ]);
    } finally {
      warned.mockRestore();
    }
  });
});

describe('the cases in ../shared', () => {
  const cases = fileURLToPath(new URL('../../../../../shared/cases', import.meta.url));

  it('have all the images, or a reason', ({ skip }) => {
    skip(!existsSync(cases), `${cases} is not there`);
    expect(openImageFolders(join(cases, 'passed-over', 'data')).train.count).toBe(26);
    expect(openImageFolders(join(cases, 'imagenet-layout', 'data'))).toMatchObject({
      test: { count: 12 },
      notes: ['The images in test have no labels, so val is the test set.'],
    });
    // The case has the files of Tiny ImageNet, but the annotations are empty.
    const tiny = join(cases, 'passed-over', 'tiny-imagenet');
    expect(openImageFolders(tiny)).toMatchObject({
      train: { count: 10 },
      test: { count: 2 },
      notes: [
        'The images in test and val have no labels, so 2 of the 12 images in train, a tenth of each class drawn at ' +
          'random, are the test set, the same in every run.',
        'train: 2 files are passed over: 2 .txt.',
        `${tiny}: 1 entry is passed over beside train, test, val: wnids.txt.`,
      ],
    });
  });
});

function thrownBy(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
