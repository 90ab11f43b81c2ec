import { backward, noGrad, randn, scope, setThreads, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { NASBENCH201_OPERATIONS } from '../../src/networks/nasbench201-cell.js';
import { NasBench201Supernet } from '../../src/supernets/nasbench201.js';

setThreads(1);

const CIFAR = { channels: 3, height: 32, width: 32, classes: 10 };
const SMALL = { channels: 3, height: 8, width: 8, classes: 4 };
const small = () => new NasBench201Supernet(SMALL, { channels: 2, cells: 1, nodes: 4 });
const CELL = '|nor_conv_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_3x3~2|';
const OPERATIONS = [3, 1, 0, 2, 4, 3];

/** Raises one operation of each edge so far that the softmax gives it everything. */
function decide(supernet: NasBench201Supernet): void {
  noGrad(() =>
    supernet
      .architectureParameters()
      .cell.copy_(
        tensor(OPERATIONS.map((chosen) => NASBENCH201_OPERATIONS.map((_, k) => (k === chosen ? 1000 : 0)))),
      ),
  );
}

describe('the supernet of nasbench201', () => {
  it('has the weights of both convolutions on every edge, and six rows of five architecture parameters', () => {
    const supernet = new NasBench201Supernet(CIFAR, { channels: 16, cells: 5, nodes: 4 });
    // Fixed parts: 73,306 in the benchmark's table. In each cell 6 edges of 9 C^2 and C^2, without norm's scales.
    const squares = 16 ** 2 + 32 ** 2 + 64 ** 2;
    expect(supernet.parameterCount()).toBe(73_306 + 5 * 6 * 10 * squares);
    expect(supernet.architectureParameters().cell.shape).toEqual([6, 5]);
    supernet.free();
  });

  it('equals the sampled path when the softmax has decided for it, and derives it', () => {
    const supernet = small();
    decide(supernet);
    expect(supernet.derive()).toEqual({ cell: CELL });
    scope(() => {
      const image = randn([4, 3, 8, 8], { dtype: 'float32' });
      const path = supernet.forwardPath(image, { cell: CELL }).toNumbers();
      for (const [index, value] of supernet.forward(image).toNumbers().entries())
        expect(value).toBeCloseTo(path[index]!, 4);
      expect(new Set(path).size).toBe(16);
      expect(() => supernet.forwardPath(image, { cell: '|none~0|' })).toThrow('\'cell\' is "|none~0|"');
    });
    supernet.free();
  });

  it('gives up its weakest skip connections for the next strongest operations where they are limited', () => {
    const supernet = small();
    // Every edge skips, the third the least; the next strongest is 'none' on the third and the 1x1 convolution elsewhere.
    const rows = [0, 1, 2, 3, 4, 5].map((edge) =>
      edge === 2 ? [0.5, 2, 0, 0, 0] : [0, 3 + edge, 0.5, 0, 0],
    );
    noGrad(() => supernet.architectureParameters().cell.copy_(tensor(rows)));
    const all = supernet.derive();
    expect(supernet.skips.count(all)).toEqual({ cell: 6 });
    expect(supernet.derive({ maxSkips: 6 })).toEqual(all);
    const few = supernet.derive({ maxSkips: 4 });
    expect(few).toEqual({
      cell: '|nor_conv_1x1~0|+|skip_connect~0|none~1|+|skip_connect~0|skip_connect~1|skip_connect~2|',
    });
    expect(supernet.skips.count(few)).toEqual({ cell: 4 });
    supernet.free();
  });

  it('gives gradients to every edge and every weight', () => {
    const supernet = small();
    scope(() => {
      backward(
        supernet
          .forward(randn([4, 3, 8, 8], { dtype: 'float32' }))
          .pow(2)
          .sum(),
      );
      const gradients = supernet.architectureParameters().cell.grad!.toNumbers();
      expect(gradients.length).toBe(30);
      expect(gradients.every((gradient) => gradient !== 0)).toBe(true);
      for (const [name, { grad }] of supernet.namedParameters()) expect(grad, name).toBeDefined();
    });
    supernet.free();
  });
});
