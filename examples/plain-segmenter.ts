import { choose, defineSpace, nn } from 'espalier';

/** Networks that keep the size of the image: a stack of dilated convolutions, and a score of each class for each pixel. */
export default defineSpace({
  name: 'plain-segmenter',
  task: 'semantic-segmentation',
  *choices() {
    return {
      filters: yield* choose('filters', [8, 16, 32]),
      dilations: yield* choose('dilations', [
        [1, 1, 1],
        [1, 2, 4],
        [2, 4, 8],
      ]),
    };
  },
  network({ filters, dilations }, { channels, classes }) {
    const layers = dilations.flatMap((dilation, index) => [
      new nn.Conv2d(index === 0 ? channels : filters, filters, 3, {
        padding: dilation,
        dilation,
        bias: false,
      }),
      new nn.BatchNorm2d(filters),
      new nn.ReLU(),
    ]);
    return new nn.Sequential(...layers, new nn.Conv2d(filters, classes, 1));
  },
});
