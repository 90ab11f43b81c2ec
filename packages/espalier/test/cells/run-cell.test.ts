import {
  full,
  fused,
  manualSeed,
  nn,
  noGrad,
  observeOperators,
  ones,
  randn,
  scope,
  setThreads,
  type Tensor,
} from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { CellGraph } from '../../src/cells/cell-graph.js';
import { MixedOperation } from '../../src/cells/mixed-operation.js';
import { Remembered } from '../../src/cells/remembered.js';
import { type CellEdge, runCell } from '../../src/cells/run-cell.js';
import { type MixedEdge, runMixedCell } from '../../src/cells/run-mixed-cell.js';

setThreads(1);

/** Multiplies by a number, and counts how often it is asked to. */
class Times extends nn.Layer {
  runs = 0;

  constructor(readonly factor: number) {
    super();
  }

  forward(input: Tensor): Tensor {
    this.runs++;
    return input.mul(this.factor);
  }
}

const times = (from: number, factor: number): CellEdge => ({ from, operation: new Times(factor) });
const one = (value: number) => full([2, 1, 1, 1], value, { dtype: 'float64' });

/** The kernels calls of a run by their names, without those of layers by themselves. */
function kernelCalls(run: () => unknown): string[] {
  const names: string[] = [];
  observeOperators(({ name }) => {
    if (name.startsWith('espalier::')) names.push(name.slice('espalier::'.length));
  }, run);
  return names;
}

const separable = (size: number, padding = (size - 1) / 2) =>
  new nn.Sequential(
    new nn.ReLU(),
    new nn.Conv2d(4, 4, size, { padding, groups: 4, bias: false }),
    new nn.Conv2d(4, 4, 1, { bias: false }),
    new nn.BatchNorm2d(4),
  );

describe('a cell as data', () => {
  it('knows for each state the edges that leave it, up to the last that is read', () => {
    const graph = new CellGraph(2, [
      { edges: [{ from: 1 }, { from: 1 }] },
      { edges: [{ from: 2 }, { from: 1 }] },
    ]);
    expect(graph.placesLeaving).toEqual([[], [0, 1, 3], [2]]);
    expect(graph.leaving[1]!.map(({ node }) => node)).toEqual([0, 0, 1]);
  });

  it('can have other edges, or fewer, between the same states', () => {
    const graph = new CellGraph(1, [
      { edges: [{ from: 0 }], combine: 'concat' },
      { edges: [{ from: 0 }, { from: 1 }] },
    ]);
    const named = graph.map(({ from }, place) => (place === 1 ? undefined : { from, name: `edge ${place}` }));
    expect(named.nodes).toEqual([
      { edges: [{ from: 0, name: 'edge 0' }], combine: 'concat' },
      { edges: [{ from: 1, name: 'edge 2' }] },
    ]);
  });

  it.each([
    [[{ edges: [] }], 'node 0 of a cell has no edges; needed: one or more'],
    [
      [{ edges: [{ from: 0 }] }, { edges: [{ from: 2 }] }],
      'an edge into node 1 of a cell reads state 2; allowed: 0 to 1',
    ],
    [[{ edges: [{ from: -1 }] }], 'an edge into node 0 of a cell reads state -1; allowed: 0 to 0'],
    [[{ edges: [{ from: 0.5 }] }], 'an edge into node 0 of a cell reads state 0.5; allowed: 0 to 0'],
  ])('is refused where a node reads nothing, or no earlier state: %j', (nodes, message) => {
    expect(() => new CellGraph(1, nodes)).toThrow(new RangeError(message));
  });
});

describe('a run of a cell', () => {
  it('gives all states: inputs, sums and concatenations', () => {
    const graph = new CellGraph<CellEdge>(2, [
      { edges: [times(0, 2), times(1, 3), times(1, 5)] },
      { edges: [times(2, -1), times(0, 7)], combine: 'concat' },
    ]);
    scope(() => {
      const states = runCell(graph, [one(1), one(10)]);
      expect(states.map((state) => state.select(0, 0).toNumbers())).toEqual([[1], [10], [82], [-82, 7]]);
    });
  });

  it('applies a layer once to a state that several edges read with it', () => {
    const shared = new Times(3);
    const edge = { from: 0, operation: shared };
    const graph = new CellGraph<CellEdge>(1, [
      { edges: [edge, { ...edge }] },
      { edges: [{ ...edge }, { from: 1, operation: shared }] },
    ]);
    scope(() => {
      expect(
        runCell(graph, [one(1)])
          .at(-1)!
          .toNumbers(),
      ).toEqual([3 + 18, 3 + 18]);
    });
    expect(shared.runs).toBe(2);
  });

  it('drops whole images of a path in training, keeps their expectation, and leaves an edge alone that says so', () => {
    const graph = new CellGraph<CellEdge>(1, [
      { edges: [times(0, 1), { ...times(0, 100), neverDropped: true }] },
    ]);
    scope(() => {
      manualSeed(1);
      const input = ones([64, 1, 2, 1], { dtype: 'float64' });
      const last = () => runCell(graph, [input], { dropProbability: 0.75 })[1]!;
      const values = last().toNumbers();
      expect(new Set(values)).toEqual(new Set([100, 104]));
      for (let place = 0; place < values.length; place += 2) expect(values[place]).toBe(values[place + 1]);
      for (const { operation } of graph.edges) operation.eval();
      expect(new Set(last().toNumbers())).toEqual(new Set([101]));
    });
  });

  it('keeps the values of inputs from one run to the next where it is told to', () => {
    const [kept, other, later] = [new Times(2), new Times(3), new Times(5)];
    const graph = new CellGraph<CellEdge>(2, [
      {
        edges: [
          { from: 0, operation: kept },
          { from: 1, operation: other },
        ],
      },
      { edges: [{ from: 2, operation: later }] },
    ]);
    const memory = new Remembered();
    const results = [1, 2, 3].map(() =>
      scope(() =>
        noGrad(() =>
          runCell(graph, [one(1), one(1)], { remembers: { memory, inputs: [true, false] } })
            .at(-1)!
            .toNumbers(),
        ),
      ),
    );
    memory.free();
    expect(results).toEqual([1, 2, 3].map(() => [25, 25]));
    expect([kept.runs, other.runs, later.runs]).toEqual([1, 3, 3]);
  });
});

describe('with the kernels', () => {
  it('separable convolutions that read a state are one call, those with other numbers of channels another, and sums normalise', () => {
    const layers = [separable(3), separable(5), separable(7)];
    const graph = new CellGraph<CellEdge>(1, [
      { edges: layers.slice(0, 2).map((operation) => ({ from: 0, operation })) },
      { edges: [{ from: 0, operation: layers[2]! }] },
    ]);
    scope(() => {
      const image = randn([2, 4, 5, 5]);
      expect(kernelCalls(() => runCell(graph, [image]))).toEqual(['relu_conv_norm', 'mixture', 'mixture']);
      expect(kernelCalls(() => runCell(graph, [image], { oneByOne: true }))).toEqual([
        'relu_conv_norm',
        'relu_conv_norm',
        'relu_conv_norm',
        'mixture',
        'mixture',
      ]);
      expect(fused.withoutKernels(() => kernelCalls(() => runCell(graph, [image])))).toEqual([]);
    });
  });

  it('one image in evaluation is computed by the layers', () => {
    const operation = separable(3);
    operation.eval();
    const graph = new CellGraph<CellEdge>(1, [{ edges: [{ from: 0, operation }] }]);
    scope(() => {
      expect(kernelCalls(() => runCell(graph, [randn([1, 4, 5, 5])]))).toEqual([]);
      expect(kernelCalls(() => runCell(graph, [randn([2, 4, 5, 5])]))).toEqual(['relu_conv_norm', 'mixture']);
    });
  });

  it('edges are mixed apart where their operations have other names or sizes', () => {
    const edge = (names: readonly string[], sizes: readonly number[]): MixedEdge => {
      const rest = sizes.values();
      return { from: 0, operation: new MixedOperation(names, () => separable(rest.next().value!)) };
    };
    const cells = {
      sizes: [edge(['a', 'b'], [3, 5]), edge(['a', 'b'], [5, 3])],
      names: [edge(['a', 'b'], [3, 5]), edge(['b', 'a'], [5, 3])],
    };
    scope(() => {
      const image = randn([2, 4, 5, 5], { dtype: 'float64' });
      const weights = randn([2, 2], { dtype: 'float64' });
      for (const edges of Object.values(cells)) {
        for (const { operation } of edges) operation.to({ dtype: 'float64' });
        const graph = new CellGraph(
          1,
          edges.map((own) => ({ edges: [own] })),
        );
        const run = () =>
          runMixedCell(graph, [image], [{ values: weights }]).flatMap((node) => node.toNumbers());
        const plain = fused.withoutKernels(run);
        for (const [place, value] of run().entries()) expect(value).toBeCloseTo(plain[place]!, 9);
      }
    });
  });
});
