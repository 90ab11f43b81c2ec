import { nn, setThreads, type Tensor, zeros } from '@espalier/torch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawingOrder, type GraphEdge, type NetworkGraph } from '../../src/drawing/graph.js';
import { networkGraph } from '../../src/networks/network-graph.js';
import { traceClassifier, traceOperators } from '../../src/networks/operator-trace.js';
import { ZophNetwork } from '../../src/networks/zoph-cnn/network.js';
import { architectures, layer, sizesOf } from './architectures.js';

setThreads(1);

const image = { channels: 3, height: 8, width: 6, classes: 2 };

const input = { label: 'image', shape: [3, 8, 6] };

function graphOf(network: nn.Layer): NetworkGraph {
  const graph = networkGraph(traceClassifier(network, image).calls, input, 'a network');
  network.free();
  return graph;
}

const flow = (from: number, to: number): GraphEdge => ({ from: `n${from}`, to: `n${to}`, kind: 'flow' });
const skip = (from: number, to: number): GraphEdge => ({ from: `n${from}`, to: `n${to}`, kind: 'skip' });
const sorted = (edges: readonly GraphEdge[]) => edges.map((edge) => JSON.stringify(edge)).sort();

class Residual extends nn.Layer {
  readonly conv = new nn.Conv2d(3, 3, 1);

  /** @param join computes the sum */
  constructor(readonly join: (raw: Tensor, input: Tensor) => Tensor) {
    super();
  }

  forward(input: Tensor): Tensor {
    return this.join(this.conv.forward(input), input);
  }
}

describe('the graph of a network', () => {
  it('shows a layer as one node with its filter, stride, normalisation, activation and size', () => {
    const { title, nodes, edges } = graphOf(
      new ZophNetwork(
        { layers: [layer({ filterHeight: 3, filterWidth: 5, filters: 4, strideHeight: 2 })] },
        image,
      ),
    );
    expect(title).toBe('a network');
    expect(nodes).toEqual([
      { id: 'n0', kind: 'input', label: 'image', details: ['3 x 8 x 6'] },
      {
        id: 'n1',
        kind: 'convolution',
        label: '3x5 convolution, 4 filters',
        details: ['stride 2x1, batch norm, ReLU', '4 x 4 x 6'],
      },
      { id: 'n2', kind: 'pool', label: 'global average pooling', details: ['4 x 1 x 1'] },
      { id: 'n3', kind: 'linear', label: 'linear, 2 outputs', details: ['2'] },
    ]);
    expect(edges).toEqual([flow(0, 1), flow(1, 2), flow(2, 3)]);
  });

  it('labels an edge with the size that the output was padded to', () => {
    const { edges } = graphOf(
      new ZophNetwork(
        {
          layers: [
            layer(),
            layer({ strideHeight: 2, strideWidth: 2, inputs: [0] }),
            layer({ inputs: [0, 1] }),
          ],
        },
        image,
      ),
    );
    expect(edges).toEqual([
      flow(0, 1),
      flow(1, 2),
      skip(1, 3),
      { ...flow(2, 3), label: 'padded to 8 x 6' },
      flow(3, 4),
      flow(4, 5),
    ]);
  });

  it('has one node per layer and one edge per input of a zoph-cnn architecture', () => {
    fc.assert(
      fc.property(architectures, (architecture) => {
        const { nodes, edges } = graphOf(new ZophNetwork(architecture, image));
        const { layers, ends } = sizesOf(architecture, image);
        const pool = layers.length + 1;
        expect(nodes.map(({ kind }) => kind)).toEqual([
          'input',
          ...layers.map(() => 'convolution'),
          'pool',
          'linear',
        ]);
        // Layer i is node i + 1; node 0 is the image.
        const into = (to: number, inputs: readonly number[]): GraphEdge[] => {
          if (inputs.length === 0) return [to === 1 ? flow(0, 1) : skip(0, to)];
          const height = Math.max(...inputs.map((index) => layers[index]!.height));
          const width = Math.max(...inputs.map((index) => layers[index]!.width));
          return inputs.map((index) => {
            const from = index + 1;
            const whole = layers[index]!.height === height && layers[index]!.width === width;
            const edge = to === from + 1 ? flow(from, to) : skip(from, to);
            return whole ? edge : { ...edge, label: `padded to ${height} x ${width}` };
          });
        };
        const expected = [
          ...layers.flatMap(({ inputs }, index) => into(index + 1, inputs)),
          ...into(pool, ends),
          flow(pool, pool + 1),
        ];
        expect(sorted(edges)).toEqual(sorted(expected));
        expect(drawingOrder({ title: '', nodes, edges })).toEqual([...nodes.keys()]);
      }),
      { numRuns: 50 },
    );
  });

  it('shows the other layer types of zoph-cnn, with local contrast norm as one node', () => {
    const { nodes, edges } = graphOf(
      new ZophNetwork(
        {
          layers: [
            { type: 'local_contrast_norm', inputs: [] },
            { type: 'max_pool', window: 2, stride: 2, inputs: [0] },
            { type: 'batch_norm', inputs: [] },
            { type: 'local_contrast_norm', inputs: [1, 2] },
          ],
        },
        image,
      ),
    );
    expect(nodes.map(({ kind, label, details }) => [kind, label, ...details])).toEqual([
      ['input', 'image', '3 x 8 x 6'],
      ['operation', 'local contrast norm', '3 x 8 x 6'],
      ['pool', '2x2 max pooling', '3 x 4 x 3'],
      ['operation', 'batch norm', '3 x 8 x 6'],
      ['operation', 'local contrast norm', '6 x 8 x 6'],
      ['pool', 'global average pooling', '6 x 1 x 1'],
      ['linear', 'linear, 2 outputs', '2'],
    ]);
    expect(edges).toEqual([
      flow(0, 1),
      flow(1, 2),
      skip(0, 3),
      { ...skip(2, 4), label: 'padded to 8 x 6' },
      flow(3, 4),
      flow(4, 5),
      flow(5, 6),
    ]);
  });

  it('shows a user-defined chain of pooling, dropout, flattening and linear layers', () => {
    const { nodes, edges } = graphOf(
      new nn.Sequential(
        new nn.Conv2d(3, 4, 3, { padding: 1 }),
        new nn.ReLU(),
        new nn.MaxPool2d(2),
        new nn.AvgPool2d([2, 1]),
        new nn.Dropout(0.2),
        new nn.Flatten(),
        new nn.Linear(24, 5),
        new nn.Dropout(0.2),
        new nn.Tanh(),
        new nn.Linear(5, 2),
      ),
    );
    expect(nodes.map(({ kind, label, details }) => [kind, label, ...details])).toEqual([
      ['input', 'image', '3 x 8 x 6'],
      ['convolution', '3x3 convolution, 4 filters', 'ReLU', '4 x 8 x 6'],
      ['pool', '2x2 max pooling', '4 x 4 x 3'],
      ['pool', '2x1 average pooling', '4 x 2 x 3'],
      ['linear', 'linear, 5 outputs', 'tanh', '5'],
      ['linear', 'linear, 2 outputs', '2'],
    ]);
    expect(edges).toEqual([flow(0, 1), flow(1, 2), flow(2, 3), flow(3, 4), flow(4, 5)]);
  });

  it.each([
    ['batch norm', new nn.BatchNorm2d(4)],
    ['layer norm', new nn.LayerNorm([8, 6])],
    ['group norm', new nn.GroupNorm(2, 4)],
    ['ReLU', new nn.ReLU()],
    ['leaky ReLU', new nn.LeakyReLU()],
    ['GELU', new nn.GELU()],
    ['SiLU', new nn.SiLU()],
    ['hard swish', new nn.Hardswish()],
    ['sigmoid', new nn.Sigmoid()],
    ['hard sigmoid', new nn.Hardsigmoid()],
    ['tanh', new nn.Tanh()],
  ])('shows %s with the layer before it', (name, follower) => {
    const { nodes } = graphOf(new nn.Sequential(new nn.Conv2d(3, 4, 1), follower));
    expect(nodes.slice(1)).toEqual([
      { id: 'n1', kind: 'convolution', label: '1x1 convolution, 4 filters', details: [name, '4 x 8 x 6'] },
    ]);
  });

  it('shows a transposed convolution with its filter and stride', () => {
    const { nodes } = graphOf(new nn.ConvTranspose2d(3, 5, [2, 4], { stride: 2, padding: [0, 1] }));
    expect(nodes[1]).toEqual({
      id: 'n1',
      kind: 'convolution',
      label: '2x4 transposed convolution, 5 filters',
      details: ['stride 2x2', '5 x 16 x 12'],
    });
  });

  it('shows a sum and its terms, in place or not', () => {
    for (const join of [
      (raw: Tensor, input: Tensor) => raw.relu().add(input),
      (raw: Tensor, input: Tensor) => raw.relu_().add_(input),
    ]) {
      const { nodes, edges } = graphOf(new Residual(join));
      expect(nodes.map(({ kind, label, details }) => [kind, label, ...details])).toEqual([
        ['input', 'image', '3 x 8 x 6'],
        ['convolution', '1x1 convolution, 3 filters', 'ReLU', '3 x 8 x 6'],
        ['merge', 'sum', '3 x 8 x 6'],
      ]);
      expect(edges).toEqual([flow(0, 1), flow(1, 2), skip(0, 2)]);
    }
  });

  it('shows an activation as its own node if another operator reads the raw output of the layer', () => {
    for (const join of [
      (raw: Tensor) => raw.add(raw.relu()),
      (raw: Tensor) => raw.add(raw.contiguous().clone().relu()),
    ]) {
      const { nodes, edges } = graphOf(new Residual(join));
      expect(nodes.map(({ label }) => label)).toEqual(['image', '1x1 convolution, 3 filters', 'relu', 'sum']);
      expect(sorted(edges)).toEqual(sorted([flow(0, 1), flow(1, 2), skip(1, 3), flow(2, 3)]));
    }
  });

  it('begins with whatever the network reads', () => {
    const network = new nn.Sequential(new nn.Linear(7, 4), new nn.Tanh(), new nn.Linear(4, 1));
    const { calls } = traceOperators(
      network,
      () => ({ row: zeros([1, 7]) }),
      ({ row }) => ({ prediction: network.forward(row) }),
    );
    const { nodes, edges } = networkGraph(calls, { label: 'row', shape: [7] }, 'rows');
    expect(nodes.map(({ kind, label, details }) => [kind, label, ...details])).toEqual([
      ['input', 'row', '7'],
      ['linear', 'linear, 4 outputs', 'tanh', '4'],
      ['linear', 'linear, 1 output', '1'],
    ]);
    expect(edges).toEqual([flow(0, 1), flow(1, 2)]);
    network.free();
  });

  it('shows an activation of the image as its own node', () => {
    const { nodes, edges } = graphOf(new nn.Sequential(new nn.ReLU(), new nn.Conv2d(3, 1, 1)));
    expect(nodes.map(({ kind, label }) => [kind, label])).toEqual([
      ['input', 'image'],
      ['operation', 'relu'],
      ['convolution', '1x1 convolution, 1 filter'],
    ]);
    expect(edges).toEqual([flow(0, 1), flow(1, 2)]);
  });
});
