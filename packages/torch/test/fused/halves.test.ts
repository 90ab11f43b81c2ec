import { describe, expect, it } from 'vitest';
import { cat, fused, grad, randn, scope, type Tensor, tensor } from '../../src/index.js';
import { onOneAndTwoThreads } from './on-threads.js';

const composed = (image: Tensor) => {
  const [, , height, width] = image.shape as [number, number, number, number];
  const everySecond = (seen: Tensor) => seen.slice(2, 0, undefined, 2).slice(3, 0, undefined, 2);
  const shifted = image
    .slice(2, 1)
    .slice(3, 1)
    .constantPadNd([0, width % 2, 0, height % 2]);
  return cat([everySecond(image), everySecond(shifted)], 1);
};

onOneAndTwoThreads(() => {
  describe('the halves of an image', () => {
    it('are its even pixels, and those one row down and one column to the right', () => {
      scope(() => {
        const image = tensor([
          [
            [
              [1, 2, 3],
              [4, 5, 6],
              [7, 8, 9],
            ],
          ],
        ]);
        expect(fused.halves(image).toNumbers()).toEqual([1, 3, 7, 9, 5, 0, 0, 0]);
      });
    });

    it.each([
      [8, 6],
      [7, 5],
      [1, 2],
    ])('of %d x %d pixels and their gradient are those of libtorch', (height, width) => {
      scope(() => {
        const image = randn([3, 5, height, width]);
        image.requiresGrad = true;
        const [ours, theirs] = [fused.halves(image), composed(image)];
        expect(ours.shape).toEqual(theirs.shape);
        expect(ours.toNumbers()).toEqual(theirs.toNumbers());
        const gradients = [randn(ours.shape)];
        const [[gradient], [expected]] = [
          grad(ours, [image], { gradients }),
          grad(theirs, [image], { gradients }),
        ];
        expect(gradient!.toNumbers()).toEqual(expected!.toNumbers());
      });
    });
  });
});
