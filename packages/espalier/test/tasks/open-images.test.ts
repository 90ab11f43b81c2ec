import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ImagesInMemory } from '../../src/data/image-dataset.js';
import { openData } from '../../src/data/open-data.js';
import { channelStatistics } from '../../src/data/statistics.js';
import { InputError } from '../../src/input-error.js';
import { openImages } from '../../src/tasks/image-classification/open-images.js';
import type { TaskSettings } from '../../src/tasks/task-settings.js';
import { writeTinyCifar10 } from '../cli/tiny-cifar10.js';
import { digestsOf } from '../data/tiny-set.js';

const folder = mkdtempSync(join(tmpdir(), 'espalier-open-images-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const name = `cifar10:${writeTinyCifar10(folder)}`;
const open = (given: Partial<TaskSettings> = {}, share?: number) =>
  openImages({ name: 'image-classification', data: name, seed: 1, ...given }, share);
const data = openData(name);
const all = digestsOf(data.train);

describe('opened images', () => {
  it('are trained on but for a tenth, which validates, and no image is in both parts', () => {
    const { train, validation } = open();
    expect(validation.count).toBe(Math.floor(all.length / 10));
    expect(train.count + validation.count).toBe(all.length);
    expect([...digestsOf(train), ...digestsOf(validation)].sort()).toEqual([...all].sort());
  });

  it('are only the first ones where a limit says so', () => {
    const { train, validation, test } = open({ limit: 205 });
    expect([train.count, validation.count]).toEqual([185, 20]);
    expect([...digestsOf(train), ...digestsOf(validation)].sort()).toEqual(all.slice(0, 205).sort());
    expect(test.count).toBe(data.test.count);
    expect(open({ limit: 5 }).validation.count).toBe(1);
  });

  it('are held out as the settings say, none included, or else by the share that the run needs', () => {
    const some = open({ limit: 100, validation: 40 });
    expect([some.train.count, some.validation.count]).toEqual([60, 40]);
    const none = open({ limit: 100, validation: 0 });
    expect([none.train.count, none.validation.count]).toEqual([100, 0]);
    expect(digestsOf(none.train)).toEqual(all.slice(0, 100));
    expect(open({ limit: 100 }, 1 / 2).validation.count).toBe(50);
    expect(open({ limit: 100, validation: 40 }, 1 / 2).validation.count).toBe(40);
  });

  it('are held out by the seed', () => {
    const heldOut = (seed: number) => digestsOf(open({ limit: 100, seed }).validation);
    expect(heldOut(1)).toEqual(heldOut(1));
    expect(heldOut(1)).not.toEqual(heldOut(2));
  });

  it('have a shape, and the statistics of the training images', () => {
    const { train, shape, statistics, classes, augmentation, checksum, resized, notes } = open({
      limit: 100,
    });
    expect(shape).toEqual({ channels: 3, height: 32, width: 32, classes: 10 });
    expect(classes).toHaveLength(10);
    expect(statistics).toEqual(channelStatistics(train as ImagesInMemory));
    expect(statistics).not.toEqual(channelStatistics(data.train as ImagesInMemory));
    expect(augmentation).toEqual(data.augmentation);
    // Of the data, however much of it is used.
    expect(checksum()).toBe(data.checksum());
    expect(resized).toBe(false);
    expect(notes).toEqual([
      ...(data.notes ?? []),
      'Only 10 images validate: an accuracy of 90% on them is off by 9.5 points by chance (one standard error), which may ' +
        'decide what seems best.',
    ]);
  });

  it('are refused where the numbers do not fit the data', () => {
    const message = (given: Partial<TaskSettings>) => {
      try {
        open(given);
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        return (error as Error).message;
      }
      return 'no error';
    };
    expect(message({ limit: 100, validation: 100 })).toBe(
      '100 images to hold out: must be a whole number from 1 to 99, for there are 100 images',
    );
    expect(message({ limit: 1e6 })).toBe(
      `limit 1000000: must be a whole number from 1 to ${all.length}, the images there are`,
    );
    expect(message({ data: 'cifar10' })).toContain('cifar10:DIR');
  });
});
