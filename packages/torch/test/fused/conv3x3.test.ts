import { describe, expect, it } from 'vitest';
import { cat, conv2d, fused, grad, manualSeed, randn, scope, type Tensor, tensor } from '../../src/index.js';
import { expectGradients, weightedSum } from '../finite-differences.js';
import { worst } from './comparison.js';
import { onOneAndTwoThreads } from './on-threads.js';

/** Images, filters of each edge. */
interface Case {
  readonly images: readonly number[];
  readonly filters: readonly number[];
}

// One pixel; tiles that lie beyond the image; more channels than a register, or not a whole number of them; more tiles than are
// worked on at once (32); more filters than a panel (48 of float32).
const cases: readonly Case[] = [
  { images: [1, 1, 1, 1], filters: [1] },
  { images: [2, 3, 5, 9], filters: [4, 2] },
  { images: [3, 16, 8, 8], filters: [16, 16, 16] },
  { images: [9, 17, 7, 6], filters: [50] },
  { images: [2, 40, 4, 4], filters: [40, 40, 40] },
];

function draw({ images, filters }: Case, dtype: 'float32' | 'float64') {
  manualSeed(3);
  const image = randn(images, { dtype });
  const weights = filters.map((count) => randn([count, images[1] as number, 3, 3], { dtype }));
  for (const each of [image, ...weights]) each.requiresGrad = true;
  return { image, weights };
}

const theirs = (image: Tensor, weights: readonly Tensor[], rectifies: boolean) =>
  conv2d(rectifies ? image.relu() : image, cat(weights), undefined, [1, 1], [1, 1]);

onOneAndTwoThreads(() => {
  describe.each([true, false])('a 3x3 convolution, rectified: %s', (rectifies) => {
    for (const [dtype, tolerance] of [
      ['float64', 1e-13],
      ['float32', 3e-5],
    ] as const)
      it.each(cases)(`has the values and gradients of libtorch in ${dtype}: %j`, (sizes) => {
        scope(() => {
          const { image, weights } = draw(sizes, dtype);
          const output = fused.conv3x3(image, weights, { rectifies });
          const expected = theirs(image, weights, rectifies);
          expect(output.shape).toEqual(expected.shape);
          expect(worst(output.toNumbers(), expected.toNumbers())).toBeLessThan(tolerance);
          const gradients = [randn(expected.shape, { dtype })];
          const learned = [image, ...weights];
          const compared = grad(expected, learned, { gradients });
          for (const [place, gradient] of grad(output, learned, { gradients }).entries()) {
            expect(gradient.shape).toEqual(learned[place]!.shape);
            expect(
              worst(gradient.toNumbers(), compared[place]!.toNumbers()),
              `gradient ${place}`,
            ).toBeLessThan(tolerance);
          }
        });
      });

    it('has the gradients that finite differences give', () => {
      scope(() => {
        const { image, weights } = draw({ images: [2, 2, 5, 3], filters: [2, 1] }, 'float64');
        expectGradients(() => weightedSum([fused.conv3x3(image, weights, { rectifies })]), {
          image,
          first: weights[0] as Tensor,
          second: weights[1] as Tensor,
        });
      });
    });
  });
});

it('a 3x3 convolution gives the same bytes for the same input', () => {
  scope(() => {
    const { image, weights } = draw({ images: [5, 20, 9, 9], filters: [20, 20] }, 'float32');
    const bytes = () => {
      const output = fused.conv3x3(image, weights);
      return [output, ...grad(output.square().sum(), [image, ...weights])].map((each) => each.toNumbers());
    };
    expect(bytes()).toEqual(bytes());
  });
});

it('a 3x3 convolution reads one pixel of the middle tap, and eight neighbours of the others', () => {
  scope(() => {
    const image = tensor(
      [
        [
          [
            [0, 0, 0],
            [0, 1, 0],
            [0, 0, 0],
          ],
        ],
      ],
      'float64',
    );
    const filter = tensor(
      [
        [
          [
            [1, 2, 3],
            [4, 5, 6],
            [7, 8, 9],
          ],
        ],
      ],
      'float64',
    );
    const output = fused.conv3x3(image, [filter]).toNumbers();
    expect(worst(output, [9, 8, 7, 6, 5, 4, 3, 2, 1])).toBeLessThan(1e-14);
  });
});
