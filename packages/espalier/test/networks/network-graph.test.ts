import { nn, setThreads, type Tensor } from '@espalier/torch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawingOrder, type GraphEdge, type NetworkGraph } from '../../src/drawing/graph.js';
import { networkGraph } from '../../src/networks/network-graph.js';
import { traceClassifier } from '../../src/networks/operator-trace.js';
import { ZophNetwork } from '../../src/networks/zoph-cnn/network.js';
import { architectures, layer, sizesOf } from './architectures.js';

setThreads(1);

const image = { channels: 3, height: 8, width: 6, classes: 2 };

function graphOf(network: nn.Layer): NetworkGraph {
  const graph = networkGraph(traceClassifier(network, image).calls, image, 'a network');
  network.free();
  return graph;
}

const flow = (from: number, to: number): GraphEdge => ({ from: `n${from}`, to: `n${to}`, kind: 'flow' });
const skip = (from: number, to: number): GraphEdge => ({ from: `n${from}`, to: `n${to}`, kind: 'skip' });
const sorted = (edges: readonly GraphEdge[]) => edges.map((edge) => JSON.stringify(edge)).sort();

class Residual extends nn.Layer {
  readonly conv = new nn.Conv2d(3, 3, 1);

  /** @param join how the sum is made */
  constructor(readonly join: (raw: Tensor, input: Tensor) => Tensor) {
    super();
  }

  forward(input: Tensor): Tensor {
    return this.join(this.conv.forward(input), input);
  }
}

describe('the graph of a network', () => {
  it('shows a layer as one node with its filter, its stride, what follows it and its size', () => {
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

  it('says on an edge to which size an output was padded', () => {
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

  it('has a node a layer and an edge wherever an architecture of zoph-cnn has an input', () => {
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
        // Layer i is node i + 1, node 0 is the image.
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

  it('draws other layer types of zoph-cnn, and local contrast norm as one node', () => {
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

  it('draws a chain of pooling, dropout, flattening and linear layers of a user', () => {
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

  it('draws a sum and what it adds, in place or not', () => {
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

  it('keeps an activation apart from a layer whose raw output something else reads', () => {
    for (const join of [
      (raw: Tensor) => raw.add(raw.relu()),
      (raw: Tensor) => raw.add(raw.contiguous().clone().relu()),
    ]) {
      const { nodes, edges } = graphOf(new Residual(join));
      expect(nodes.map(({ label }) => label)).toEqual(['image', '1x1 convolution, 3 filters', 'relu', 'sum']);
      expect(sorted(edges)).toEqual(sorted([flow(0, 1), flow(1, 2), skip(1, 3), flow(2, 3)]));
    }
  });

  it('keeps an activation of the image, which is no layer', () => {
    const { nodes, edges } = graphOf(new nn.Sequential(new nn.ReLU(), new nn.Conv2d(3, 1, 1)));
    expect(nodes.map(({ kind, label }) => [kind, label])).toEqual([
      ['input', 'image'],
      ['operation', 'relu'],
      ['convolution', '1x1 convolution, 1 filter'],
    ]);
    expect(edges).toEqual([flow(0, 1), flow(1, 2)]);
  });
});
