import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dataFormsOf, openData } from '../../src/data/open-data.js';
import { InputError } from '../../src/input-error.js';
import { writeImageFolders } from './image-files.js';

/** All kinds, for messages. */
const known = (['images', 'text', 'masks'] as const).flatMap(dataFormsOf).join(', ');

describe('data by its name', () => {
  let parent: string;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'espalier:data-'));
  });
  afterEach(() => rmSync(parent, { recursive: true }));

  it('is opened by its kind, and only the first colon ends the kind', () => {
    const record = Buffer.alloc(3073, 1);
    writeFileSync(join(parent, 'data_batch_1.bin'), record);
    writeFileSync(join(parent, 'test_batch.bin'), record);
    expect(parent).toContain(':');
    expect(openData(`cifar10:${parent}`)).toMatchObject({
      kind: 'cifar10',
      train: { count: 1 },
      test: { count: 1 },
    });
    expect(openData('mnist')).toMatchObject({ kind: 'mnist', train: { count: 8000 } });
  }, 30_000);

  it('lists the kinds in the order of what they hold', () => {
    expect(known).toMatch(/^mnist, cifar10:DIR, images:DIR, text:DIR, camvid:DIR/);
  });

  it.each([
    ['cifar11:x', `data "cifar11:x": unknown kind "cifar11"; did you mean 'cifar10'? known: ${known}`],
    ['', `data "": unknown kind ""; known: ${known}`],
    ['constructor', `data "constructor": unknown kind "constructor"; known: ${known}`],
    ['MNIST', `data "MNIST": unknown kind "MNIST"; did you mean 'mnist'? known: ${known}`],
    ['cifar10', 'data "cifar10": the path is missing; write cifar10:DIR'],
    ['cifar10:', 'data "cifar10:": the path is missing; write cifar10:DIR'],
    ['mnist:digits', 'data "mnist:digits": takes no path; write mnist'],
  ])('is refused: "%s"', (name, message) => {
    expect(() => openData(name)).toThrow(new InputError(message));
  });

  it('is shown in a size that is asked for, where the files have no own', async () => {
    await writeImageFolders(join(parent, 'images'), [1, 1, 1]);
    expect(openData(`images:${join(parent, 'images')}`, 48).train).toMatchObject({ height: 48, width: 48 });
    expect(() => openData('mnist', 48)).toThrow(
      new InputError(
        'data "mnist": image size 48: mnist has images of one size; a size can be chosen of images:DIR',
      ),
    );
  });

  it('is refused when the folder is missing', () => {
    const missing = join(parent, 'nowhere');
    expect(() => openData(`cifar10:${missing}`)).toThrow(
      new InputError(`${missing}: does not exist; expected the folder of the binary version of CIFAR-10`),
    );
  });
});
