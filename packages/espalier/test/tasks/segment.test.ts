import { fromTypedArray, noGrad, scope, setThreads, type Tensor, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { ONE_VIEW, segment, tilesAlong } from '../../src/tasks/semantic-segmentation/segment.js';

setThreads(1);

/** Two classes, whose logits are the pixel and 0. */
const pointwise = {
  forward(images: Tensor): Tensor {
    return tensor([[[[1]], [[0]]]]).mul(images);
  },
};

/** The same, but a pixel also sees its left neighbour: mirrored images give other logits. */
const toTheLeft = {
  forward(images: Tensor): Tensor {
    const width = images.shape[3] as number;
    const left = images.constantPadNd([1, 0, 0, 0]).narrow(3, 0, width);
    return tensor([[[[1]], [[0]]]]).mul(images.add(left));
  },
};

const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));

/** The probability of the first class of each pixel of an image [height, width]. */
function probabilities(
  model: { forward(images: Tensor): Tensor },
  rows: readonly (readonly number[])[],
  views: Parameters<typeof segment>[2],
): number[] {
  return scope(() =>
    noGrad(() => {
      const image = fromTypedArray(Float32Array.from(rows.flat()), [1, 1, rows.length, rows[0]!.length]);
      return segment(model, image, views).softmax(1).narrow(1, 0, 1).flatten().toNumbers();
    }),
  );
}

const close = (found: readonly number[], expected: readonly number[]) => {
  expect(found).toHaveLength(expected.length);
  for (const [index, value] of expected.entries()) expect(found[index]).toBeCloseTo(value, 5);
};

describe('tiles along an axis', () => {
  it('overlap by a third or more, and the last one ends where the image does', () => {
    expect(tilesAlong(10, 10)).toEqual([[0, 10]]);
    expect(tilesAlong(7, 10)).toEqual([[0, 7]]);
    expect(tilesAlong(11, 9)).toEqual([
      [0, 9],
      [2, 9],
    ]);
    expect(tilesAlong(20, 9)).toEqual([
      [0, 9],
      [6, 9],
      [11, 9],
    ]);
    expect(tilesAlong(3, 1)).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
  });
});

describe('an image', () => {
  const image = [
    [0, 1, -2, 3, 0.5],
    [2, -1, 0, 1, -3],
    [1, 1, 4, -4, 2],
  ];

  it('is evaluated in one pass, whose logits are those of the network', () => {
    scope(() =>
      noGrad(() => {
        const given = tensor([[image.map((row) => [...row])]]);
        expect(segment(pointwise, given, ONE_VIEW).toNumbers()).toEqual(pointwise.forward(given).toNumbers());
        // Tiles that are larger change nothing.
        expect(segment(pointwise, given, { ...ONE_VIEW, tile: 5 }).toNumbers()).toEqual(
          pointwise.forward(given).toNumbers(),
        );
      }),
    );
  });

  it.each([1, 2, 3, 4])(
    'is the same in tiles of %i pixels to a network that sees a pixel at a time',
    (tile) => {
      close(probabilities(pointwise, image, { ...ONE_VIEW, tile }), image.flat().map(sigmoid));
    },
  );

  it('is averaged where tiles overlap', () => {
    // Tiles of 3 at columns 0, 2: the third pixel is the last of one, and the first of the other, which sees nothing left.
    const row = [1, 2, 4, 8, 16];
    const last = sigmoid(4 + 2);
    const first = sigmoid(4);
    close(probabilities(toTheLeft, [row], { ...ONE_VIEW, tile: 3 }), [
      sigmoid(1),
      sigmoid(1 + 2),
      (last + first) / 2,
      sigmoid(8 + 4),
      sigmoid(16 + 8),
    ]);
  });

  it('is averaged with its mirror image', () => {
    const [a, b, c] = [0.5, -1, 2];
    close(probabilities(toTheLeft, [[a, b, c]], { ...ONE_VIEW, flip: true }), [
      (sigmoid(a) + sigmoid(a + b)) / 2,
      (sigmoid(b + a) + sigmoid(b + c)) / 2,
      (sigmoid(c + b) + sigmoid(c)) / 2,
    ]);
  });

  it('is averaged over its scales', () => {
    // Enlarged to five pixels with aligned corners, and back: the values at the places of the old pixels.
    const row = [0, 2, -2];
    const seen = probabilities(pointwise, [row], { ...ONE_VIEW, scales: [1, 5 / 3] });
    close(seen, row.map(sigmoid));
    const half = probabilities(pointwise, [[0, 4, -2, 8, 6]], { ...ONE_VIEW, scales: [0.6] });
    // Three of the five pixels, 0, -2 and 6, and what lies between them.
    close(half, [
      sigmoid(0),
      (sigmoid(0) + sigmoid(-2)) / 2,
      sigmoid(-2),
      (sigmoid(-2) + sigmoid(6)) / 2,
      sigmoid(6),
    ]);
  });

  it('has finite logits where a probability is 0', () => {
    const found = scope(() =>
      noGrad(() => segment(pointwise, tensor([[[[500]]]]), { ...ONE_VIEW, flip: true }).toNumbers()),
    );
    expect(found.every(Number.isFinite)).toBe(true);
  });
});
