import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { maskedBatches } from '../../src/data/masked-batches.js';
import type { MaskedImages } from '../../src/data/masked-images.js';
import { openMaskedData } from '../../src/data/open-data.js';
import { InputError } from '../../src/input-error.js';
import { suiteFolder } from '../cli/suite-folder.js';
import { writePalette } from './indexed-png.js';
import { writeMask, writePixels, writeTinyCamvid } from './tiny-masks.js';

const folder = suiteFolder();
vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));

const SIZE = { height: 2, width: 3 };
const black = new Uint8Array(18);

const image = (...path: string[]) => writePixels(join(folder, ...path), black, SIZE);
const mask = (path: string[], ...labels: number[]) =>
  writeMask(join(folder, ...path), Uint8Array.from(labels), SIZE);

/** The labels of all images of a set, one after the other. */
function labelsOf(set: MaskedImages): number[][] {
  const found: number[][] = [];
  for (const batch of maskedBatches(set, { size: 1, crop: SIZE, beyond: [0, 0, 0] }))
    found.push([...batch.labels]);
  return found;
}

beforeAll(async () => {
  await writeTinyCamvid(join(folder, 'camvid'), { train: 3, val: 1, test: 2 });

  const voc = ['VOCdevkit', 'VOC2012'];
  for (const name of ['a', 'b', 'c', 'd']) {
    await image(...voc, 'JPEGImages', `${name}.jpg`);
    writePalette(join(folder, ...voc, 'SegmentationClass', `${name}.png`), [
      [0, 20, 255],
      [name.charCodeAt(0) - 96, 0, 0],
    ]);
  }
  mkdirSync(join(folder, ...voc, 'ImageSets', 'Segmentation'), { recursive: true });
  const list = (name: string, text: string) =>
    writeFileSync(join(folder, ...voc, 'ImageSets', 'Segmentation', `${name}.txt`), text);
  list('train', 'a\nb\n');
  list('val', 'd\n');

  const cityscapes = (kind: string, part: string, ending: string) =>
    join('cityscapes', kind, part, 'ulm', `ulm_0_${ending}`);
  for (const part of ['train', 'val', 'train_extra'])
    await image(cityscapes('leftImg8bit', part, 'leftImg8bit.png'));
  await mask([cityscapes('gtFine', 'train', 'gtFine_labelIds.png')], 7, 33, 0, 255, 26, 14);
  // Other annotations of the same images.
  await mask([cityscapes('gtFine', 'train', 'gtFine_instanceIds.png')], 7, 7, 7, 7, 7, 7);
  await mask([cityscapes('gtFine', 'val', 'gtFine_labelIds.png')], 8, 8, 8, 8, 8, 8);
  await mask([cityscapes('gtCoarse', 'train_extra', 'gtCoarse_labelIds.png')], 11, 11, 11, 11, 11, 0);

  const ade = 'ADEChallengeData2016';
  for (const [part, label] of [
    ['training', 150],
    ['validation', 1],
  ] as const) {
    await image(ade, 'images', part, 'scene.jpg');
    await mask([ade, 'annotations', part, 'scene.png'], 0, label, 2, 0, 0, 3);
  }

  for (let index = 0; index < 6; index++) {
    await image('own', 'images', `${index}.png`);
    await mask(['own', 'masks', `${index}.png`], index % 3, 255, 0, 1, 2, 0);
  }
}, 30_000);

const data = (name: string) => `${name.split(':')[0]}:${join(folder, name.split(':')[1]!)}`;

describe('CamVid', () => {
  it('has three parts, whose masks have the names of the images', () => {
    const { kind, train, validation, test, crop, classes } = openMaskedData(data('camvid:camvid'));
    expect([kind, train.count, validation?.count, test.count]).toEqual(['camvid', 3, 1, 2]);
    expect(train.masks).toEqual(['trainannot/0.png', 'trainannot/1.png', 'trainannot/2.png']);
    expect(crop).toEqual({ height: 12, width: 16 });
    expect(classes).toHaveLength(11);
    // The first row of the training images is void.
    expect(new Set(labelsOf(train)[0])).toEqual(new Set([255, 0, 3, 8]));
  });

  it('is cropped to another size, and seen in another', () => {
    expect(openMaskedData(data('camvid:camvid'), 9).crop).toEqual({ height: 9, width: 9 });
    const { train, crop } = openMaskedData(`${data('camvid:camvid')},scale=0.5`);
    expect(crop).toEqual({ height: 6, width: 8 });
    expect(train.seen).toEqual({ scale: 0.5 });
    expect(labelsOf(train)[0]).toHaveLength(48);
  });
});

describe('PASCAL VOC', () => {
  it.each(['', 'VOCdevkit', 'VOCdevkit/VOC2012'])('is found at %j, with masks of a palette', (inside) => {
    const { train, validation, test, classes, crop, notes } = openMaskedData(data(`voc:${inside}`));
    expect([train.count, validation, test.count]).toEqual([2, undefined, 1]);
    expect(labelsOf(train)).toEqual([
      [0, 20, 255, 1, 0, 0],
      [0, 20, 255, 2, 0, 0],
    ]);
    expect(classes.slice(0, 3)).toEqual([
      { name: 'background', colour: [0, 0, 0] },
      { name: 'aeroplane', colour: [128, 0, 0] },
      { name: 'bicycle', colour: [0, 128, 0] },
    ]);
    expect(classes[20]).toEqual({ name: 'tv monitor', colour: [0, 64, 128] });
    expect(crop).toEqual({ height: 513, width: 513 });
    expect(notes).toEqual([
      expect.stringMatching(/has no trainaug\.txt, so the 2 images of train\.txt are trained on$/),
    ]);
  });

  it('is trained on the augmented list, whose masks have a folder of their own', () => {
    cpSync(join(folder, 'VOCdevkit'), join(folder, 'augmented'), { recursive: true });
    const inside = join(folder, 'augmented', 'VOC2012');
    writePalette(join(inside, 'SegmentationClassAug', 'c.png'), [
      [5, 5, 5],
      [5, 5, 5],
    ]);
    for (const list of [
      'c\na\n',
      '/JPEGImages/c.jpg /SegmentationClassAug/c.png\n/JPEGImages/a.jpg /SegmentationClass/a.png',
    ]) {
      writeFileSync(join(inside, 'ImageSets', 'Segmentation', 'trainaug.txt'), list);
      const { train, notes } = openMaskedData(data('voc:augmented'));
      expect(train.masks).toEqual(['SegmentationClassAug/c.png', 'SegmentationClass/a.png']);
      expect(notes).toEqual([]);
    }
    writeFileSync(join(inside, 'ImageSets', 'Segmentation', 'val.txt'), 'd\nmissing\n');
    expect(() => openMaskedData(data('voc:augmented'))).toThrow(
      `${join(inside, 'JPEGImages', 'missing.jpg')}: does not exist; ${join(inside, 'ImageSets/Segmentation/val.txt')} names it in line 2`,
    );
  });
});

describe('Cityscapes', () => {
  it('has 19 of the 34 classes of its masks', () => {
    const { train, test, classes, crop } = openMaskedData(data('cityscapes:cityscapes'));
    expect(labelsOf(train)).toEqual([[0, 18, 255, 255, 13, 255]]);
    expect(labelsOf(test)).toEqual([[1, 1, 1, 1, 1, 1]]);
    expect(classes).toHaveLength(19);
    expect(classes[13]).toEqual({ name: 'car', colour: [0, 0, 142] });
    expect(crop).toEqual({ height: 769, width: 769 });
  });

  it('is trained on coarse masks too where they are asked for', () => {
    const { train } = openMaskedData(`${data('cityscapes:cityscapes')},coarse=true`);
    expect(labelsOf(train)).toEqual([
      [0, 18, 255, 255, 13, 255],
      [2, 2, 2, 2, 2, 255],
    ]);
  });

  it('has options that are known', () => {
    expect(() => openMaskedData(`${data('cityscapes:cityscapes')},rough=true`)).toThrow(
      new InputError("data cityscapes has no option 'rough'; its options: scale, longest, coarse"),
    );
    expect(() => openMaskedData(`${data('cityscapes:cityscapes')},coarse=1`)).toThrow(
      /^data cityscapes: option 'coarse' is 1: /,
    );
  });
});

describe('ADE20K', () => {
  it('has 150 classes, numbered from 1 on, and names where its table is there', () => {
    const { train, test, classes, crop } = openMaskedData(data('ade20k:'));
    expect(train.seen).toEqual({ longest: 512 });
    expect(labelsOf({ ...train, seen: { scale: 1 } })).toEqual([[255, 149, 1, 255, 255, 2]]);
    expect(labelsOf({ ...test, seen: { scale: 1 } })).toEqual([[255, 0, 1, 255, 255, 2]]);
    expect([classes.length, classes[149]!.name, crop.height]).toEqual([150, 'class 150', 513]);
    const rows = Array.from(
      { length: 150 },
      (_, row) => `${row + 1}\t0.1\t5\t5\t1\tthing ${row}, item ${row}`,
    );
    const table = join(folder, 'ADEChallengeData2016', 'objectInfo150.txt');
    writeFileSync(table, ['Idx\tRatio\tTrain\tVal\tStuff\tName', ...rows].join('\n'));
    expect(openMaskedData(data('ade20k:ADEChallengeData2016')).classes[3]!.name).toBe('thing 3');
    writeFileSync(table, rows.join('\n'));
    expect(() => openMaskedData(data('ade20k:'))).toThrow(`${table}: has 149 classes; expected 150`);
    rmSync(table);
  });
});

describe('masks of one’s own', () => {
  it('are split the same way in every run, and are numbered as the options say', () => {
    const { train, test, classes, crop } = openMaskedData(`${data('masks:own')},classes=3,test=0.3`);
    expect([train.count, test.count]).toEqual([4, 2]);
    expect(new Set([...train.images, ...test.images]).size).toBe(6);
    for (const [index, file] of train.images.entries())
      expect(train.masks[index]).toBe(file.replace('images', 'masks'));
    expect(openMaskedData(`${data('masks:own')},classes=3,test=0.3`).test.images).toEqual(test.images);
    expect(classes.map(({ name }) => name)).toEqual(['class 0', 'class 1', 'class 2']);
    expect(crop).toEqual(SIZE);
  });

  it('have void of another number, and folders of other names', async () => {
    await image('named', 'photos', 'one.png');
    await image('named', 'photos', 'two.png');
    for (const name of ['one', 'two']) await mask(['named', 'truth', `${name}.png`], 1, 1, 1, 0, 0, 0);
    const { train } = openMaskedData(`${data('masks:named')},images=photos,masks=truth,classes=2,void=0`);
    expect(labelsOf(train)).toEqual([[1, 1, 1, 255, 255, 255]]);
  });

  it('have the names of a list, which says how many there are', () => {
    cpSync(join(folder, 'own'), join(folder, 'listed'), { recursive: true });
    expect(() => openMaskedData(data('masks:listed'))).toThrow(
      /nothing says how many classes there are; write masks:.*listed,classes=N, or their names in .*classes\.txt, one a line/,
    );
    writeFileSync(join(folder, 'listed', 'classes.txt'), 'grass\r\nsky\r\ntree\r\n');
    expect(openMaskedData(data('masks:listed')).classes.map(({ name }) => name)).toEqual([
      'grass',
      'sky',
      'tree',
    ]);
    expect(() => openMaskedData(`${data('masks:listed')},classes=2`)).toThrow(
      /classes\.txt: has 3 names; classes=2$/,
    );
  });

  it('are refused without a mask', () => {
    cpSync(join(folder, 'own'), join(folder, 'lacking'), { recursive: true });
    rmSync(join(folder, 'lacking', 'masks', '3.png'));
    expect(() => openMaskedData(`${data('masks:lacking')},classes=3`)).toThrow(
      new InputError(
        `${join(folder, 'lacking/images/3.png')}: has no mask; expected ${join(folder, 'lacking/masks/3.png')}`,
      ),
    );
  });
});

describe('the checksum of images with masks', () => {
  it('changes with a mask, and is found again', async () => {
    const open = () => openMaskedData(`${data('masks:own')},classes=3`).checksum();
    const before = open();
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    await mask(['own', 'masks', '5.png'], 1, 1, 0, 1, 2, 0);
    expect(open()).not.toBe(before);
    await mask(['own', 'masks', '5.png'], 2, 255, 0, 1, 2, 0);
    expect(open()).toBe(before);
  });

  it('looks at the labels of every mask before anything is trained', () => {
    expect(() => openMaskedData(`${data('masks:own')},classes=2`).checksum()).toThrow(
      /^.*own\/masks\/\d\.png: the pixel at column \d, row \d has the label 2; allowed: 0 to 1, and 255 for void$/,
    );
  });

  it('looks at the sizes of every image and its mask', async () => {
    cpSync(join(folder, 'own'), join(folder, 'unequal'), { recursive: true });
    await writeMask(join(folder, 'unequal/masks/4.png'), new Uint8Array(4), { height: 2, width: 2 });
    expect(() => openMaskedData(`${data('masks:unequal')},classes=3`).checksum()).toThrow(
      new InputError(
        `${join(folder, 'unequal/masks/4.png')}: the mask has 2 x 2 pixels; its image images/4.png has 3 x 2`,
      ),
    );
  });
});

describe('batches of images with masks', () => {
  it('end where the size changes, and have no more pixels than so many crops', async () => {
    const sizes = [2, 2, 2, 3, 3, 2];
    for (const [index, width] of sizes.entries()) {
      const size = { height: 2, width };
      await writePixels(join(folder, 'sizes', 'images', `${index}.png`), new Uint8Array(6 * width), size);
      await writeMask(
        join(folder, 'sizes', 'masks', `${index}.png`),
        new Uint8Array(2 * width).fill(index),
        size,
      );
    }
    const { train, test } = openMaskedData(`${data('masks:sizes')},classes=6,test=0.1`);
    const set = {
      ...train,
      images: sizes.map((_, index) => `images/${index}.png`),
      masks: sizes.map((_, index) => `masks/${index}.png`),
      count: 6,
    };
    const counts = (size: number, crop: { height: number; width: number }) =>
      [...maskedBatches(set, { size, crop, beyond: [0, 0, 0] })].map(({ count, width }) => [count, width]);
    expect(counts(4, { height: 2, width: 3 })).toEqual([
      [3, 2],
      [2, 3],
      [1, 2],
    ]);
    expect(counts(4, { height: 2, width: 1 })).toEqual([
      [2, 2],
      [1, 2],
      [1, 3],
      [1, 3],
      [1, 2],
    ]);
    expect(counts(1, { height: 2, width: 3 })).toHaveLength(6);
    expect(test.count).toBe(1);
  });

  it('are the same for the same seed and epoch, cropped images too, whatever the batch size', () => {
    const { train } = openMaskedData(data('camvid:camvid'));
    const seen = (size: number, epoch: number) => {
      const training = { seed: 3, epoch, augmentation: { scale: { least: 0.5, most: 2 }, flip: true } };
      const passed = maskedBatches(train, {
        size,
        crop: { height: 7, width: 5 },
        beyond: [0, 0, 0],
        training,
      });
      return [...passed].flatMap(({ pixels, labels }) => [[...pixels], [...labels]]);
    };
    expect(seen(3, 1)).toEqual(seen(3, 1));
    expect(seen(3, 1)).not.toEqual(seen(3, 2));
    expect(
      seen(1, 2)
        .filter((_, place) => place % 2 === 0)
        .flat(),
    ).toEqual(seen(3, 2)[0]);
  });

  it('may be passed over at the same time, and left before the end', () => {
    const { train, test } = openMaskedData(data('camvid:camvid'));
    const options = { size: 1, crop: { height: 12, width: 16 }, beyond: [0, 0, 0] as const };
    const alone = [labelsOf(train), labelsOf(test)];
    const [one, other] = [maskedBatches(train, options), maskedBatches(test, options)];
    for (let place = 0; place < 2; place++)
      for (const [index, pass] of [one, other].entries())
        expect([...(pass.next().value as { labels: Uint8Array }).labels]).toEqual(alone[index]![place]);
    one.return();
    expect(other.next().done).toBe(true);
    expect(labelsOf(train)).toEqual(alone[0]);
  });
});
