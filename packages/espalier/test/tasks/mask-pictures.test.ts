import { join } from 'node:path';
import { nn, scope, setThreads, type Tensor } from '@espalier/torch';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { PixelClass } from '../../src/data/masked-images.js';
import { InputError } from '../../src/input-error.js';
import { Space } from '../../src/space/space.js';
import { autoDeepLab } from '../../src/spaces/auto-deeplab.js';
import { colouredMask, maskPictures } from '../../src/tasks/semantic-segmentation/mask-pictures.js';
import { predictMask } from '../../src/tasks/semantic-segmentation/predict-mask.js';
import { readSignature } from '../../src/tasks/semantic-segmentation/signature.js';
import { beyond, standardised } from '../../src/tasks/semantic-segmentation/standardised.js';
import { suiteFolder } from '../cli/suite-folder.js';
import { writePixels } from '../data/tiny-masks.js';

setThreads(1);

const folder = suiteFolder();

const classes: readonly PixelClass[] = [
  { name: 'ground', colour: [10, 20, 30] },
  { name: 'sky', colour: [200, 100, 0] },
];

const pixelsOf = async (bytes: Uint8Array) => [...(await sharp(bytes).raw().toBuffer())];

describe('the pictures of a mask', () => {
  it('have the colours of the classes, and black where there is none', () => {
    expect([...colouredMask(Uint8Array.of(1, 255, 0), classes)]).toEqual([200, 100, 0, 0, 0, 0, 10, 20, 30]);
  });

  it('are the mask, and beside it the image half under it', async () => {
    const image = { width: 2, height: 1, data: Uint8Array.of(0, 0, 0, 255, 101, 3) };
    const [mask, overlay] = await maskPictures('out/m.PNG', image, Uint8Array.of(0, 1), classes);
    expect([mask!.path, mask!.holds, overlay!.path, overlay!.holds]).toEqual([
      'out/m.PNG',
      'mask',
      'out/m-overlay.png',
      'overlay',
    ]);
    expect(await pixelsOf(mask!.bytes)).toEqual([10, 20, 30, 200, 100, 0]);
    expect(await pixelsOf(overlay!.bytes)).toEqual([5, 10, 15, 228, 101, 2]);
  });
});

describe('pixels for a network', () => {
  const statistics = { mean: Float64Array.of(0.5, 0.2, 0), standardDeviation: Float64Array.of(0.25, 0.5, 2) };

  it('are standardised channel by channel', () => {
    const found = scope(() =>
      standardised(Uint8Array.of(255, 0, 51, 0, 102, 255), [1, 1, 2], statistics, 'cpu').toNumbers(),
    );
    // Red, green, blue of both pixels.
    for (const [place, value] of [2, -2, -0.4, 0.4, 0.1, 0.5].entries())
      expect(found[place]).toBeCloseTo(value, 5);
  });

  it('beyond an image are the mean', () => {
    expect(beyond(statistics)).toEqual([128, 51, 0]);
  });
});

/** The logits are the standardised red and green. */
class RedOrGreen extends nn.Layer {
  forward(images: Tensor): Tensor {
    return images.narrow(1, 0, 2);
  }
}

describe('a prediction', () => {
  const signature = {
    classes: ['red', 'green'],
    colours: [
      [255, 0, 0],
      [0, 255, 0],
    ],
    mean: [0, 0, 0],
    standardDeviation: [1, 1, 1],
    seen: { scale: 1 },
  };
  const file = join(folder, 'image.png');
  const request = {
    network: new RedOrGreen(),
    input: { channels: 3, height: 2, width: 2, classes: 2 },
    space: Space.configure(autoDeepLab),
    file,
    signature,
    flags: {},
  };

  it('says the share of each class that there is, the largest first, and writes nothing unless it is asked to', async () => {
    const [r, g] = [
      [200, 0, 0],
      [0, 200, 0],
    ] as const;
    await writePixels(file, Uint8Array.from([g, r, g, g].flat()), { height: 2, width: 2 });
    expect(await predictMask(request)).toEqual({
      json: {
        space: 'auto-deeplab',
        width: 2,
        height: 2,
        classes: [
          { class: 'green', label: 1, colour: [0, 255, 0], share: 0.75 },
          { class: 'red', label: 0, colour: [255, 0, 0], share: 0.25 },
        ],
      },
      lines: [file, '   75.00%  green', '   25.00%  red'],
    });
  });

  it('is in the size of the image, whatever size the network sees', async () => {
    const wide = join(folder, 'wide.png');
    await writePixels(wide, Uint8Array.from(new Array(8 * 4).fill([0, 200, 0]).flat()), {
      height: 4,
      width: 8,
    });
    for (const seen of [{ scale: 0.5 }, { longest: 16 }]) {
      const { json } = await predictMask({ ...request, file: wide, signature: { ...signature, seen } });
      expect(json).toMatchObject({ width: 8, height: 4, classes: [{ class: 'green', share: 1 }] });
    }
  });

  it('needs a training, for the names and colours of its classes', async () => {
    await expect(predictMask({ ...request, signature: undefined })).rejects.toThrow(
      new InputError(
        `${file}: without a training the names and colours of the 2 classes are unknown; give the folder of a training`,
      ),
    );
    expect(() => readSignature({ classes: ['a'] })).toThrow(/^not the signature of a segmenter: /);
  });
});
