import { backward, noGrad, ones, randn, scope, setThreads, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { multiplyAdds } from '../../src/networks/multiply-adds.js';
import { NasBench201Network } from '../../src/networks/nasbench201.js';
import type { NasBench201Cell, NasBench201Operation } from '../../src/networks/nasbench201-cell.js';
import { traceClassifier } from '../../src/networks/operator-trace.js';

setThreads(1);

const CIFAR = { channels: 3, height: 32, width: 32, classes: 10 };
const all = (operation: NasBench201Operation): NasBench201Cell => [
  [operation],
  [operation, operation],
  [operation, operation, operation],
];

describe('a network of nasbench201', () => {
  // The benchmark's table lists 1.531546M and 0.073306M parameters, and 220.11969M and 7.78305M FLOPs. The FLOPs include
  // the ten biases of the classifier.
  it.each([
    ['nor_conv_3x3', 1_531_546, 220_119_680],
    ['skip_connect', 73_306, 7_783_040],
  ] as const)('has the published size where all edges are %s', (operation, params, macs) => {
    const network = new NasBench201Network(all(operation), CIFAR, { channels: 16, cells: 5 });
    expect(network.parameterCount()).toBe(params);
    expect(multiplyAdds(traceClassifier(network, CIFAR).calls)).toBe(macs);
    network.free();
  });

  it("has the names of the authors' TinyNetwork", () => {
    const cell: NasBench201Cell = [
      ['nor_conv_3x3'],
      ['none', 'avg_pool_3x3'],
      ['skip_connect', 'none', 'nor_conv_1x1'],
    ];
    const network = new NasBench201Network(cell, CIFAR, { channels: 2, cells: 1 });
    const shapes = new Map([...network.stateDict()].map(([name, { shape }]) => [name, shape.join()]));
    expect(
      [...shapes].filter(([name]) => name.endsWith('weight') && !/\.op\.2\.|\.1\.weight/.test(name)),
    ).toEqual([
      ['stem.0.weight', '2,3,3,3'],
      ['lastact.0.weight', '8'],
      ['classifier.weight', '10,8'],
    ]);
    for (const [name, shape] of [
      ['cells.0.layers.0.op.1.weight', '2,2,3,3'],
      ['cells.0.layers.5.op.1.weight', '2,2,1,1'],
      ['cells.1.conv_a.op.1.weight', '4,2,3,3'],
      ['cells.1.conv_b.op.2.running_var', '4'],
      ['cells.1.downsample.1.weight', '4,2,1,1'],
      ['cells.4.layers.0.op.2.bias', '8'],
    ] as const)
      expect(shapes.get(name), name).toBe(shape);
    network.free();
  });

  it('sums the operations on the earlier nodes', () => {
    const value = (cell: NasBench201Cell) =>
      scope(() =>
        noGrad(() => {
          const shape = { channels: 1, height: 4, width: 4, classes: 1 };
          const network = new NasBench201Network(cell, shape, { channels: 1, cells: 1 }).eval();
          const input = ones([1, 1, 4, 4], { dtype: 'float32' });
          const sum = (network.cells[0] as NasBench201Network).forward(input).toNumbers();
          network.free();
          return sum;
        }),
      );
    // Node 1 = x, node 2 = x + x, node 3 = x + x + 2x.
    expect(value(all('skip_connect'))).toEqual(new Array(16).fill(4));
    expect(value(all('avg_pool_3x3'))).toEqual(new Array(16).fill(4));
    expect(
      value([['skip_connect'], ['none', 'skip_connect'], ['skip_connect', 'none', 'skip_connect']]),
    ).toEqual(new Array(16).fill(2));
    expect(value(all('none'))).toEqual(new Array(16).fill(0));
  });

  it('gives logits and gradients', () => {
    const shape = { channels: 3, height: 16, width: 12, classes: 4 };
    const network = new NasBench201Network(all('nor_conv_1x1'), shape, { channels: 4, cells: 2 });
    scope(() => {
      const logits = network.forward(randn([2, 3, 16, 12], { dtype: 'float32' }));
      expect(logits.shape).toEqual([2, 4]);
      backward(logits.mul(tensor([[1, 2, 3, 4]])).sum());
      for (const [name, { grad }] of network.namedParameters()) expect(grad, name).toBeDefined();
    });
    network.free();
  });
});
