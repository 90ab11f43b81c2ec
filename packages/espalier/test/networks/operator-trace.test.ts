import { cat, liveTensors, nn, setThreads, type Tensor, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { traceNetwork, traceOperators } from '../../src/networks/operator-trace.js';
import { ZophNetwork } from '../../src/networks/zoph-cnn.js';
import { layer } from './architectures.js';

setThreads(1);

const image = { channels: 3, height: 4, width: 4, classes: 2 };

/** Without attributes, which are libtorch's own business. */
const outline = (network: nn.Layer) =>
  traceOperators(network, image).map(({ operator, reads, state, shape }) => ({
    operator,
    reads,
    state: state.map(({ name }) => name),
    shape,
  }));

class InPlace extends nn.Layer {
  readonly conv = new nn.Conv2d(3, 3, 1);

  forward(input: Tensor): Tensor {
    const value = this.conv.forward(input);
    value.relu_();
    return value.add_(input);
  }
}

class Splitting extends nn.Layer {
  readonly conv = new nn.Conv2d(3, 2, 1);

  forward(input: Tensor): Tensor {
    const [first, second] = this.conv.forward(input).chunk(2, 1) as [Tensor, Tensor];
    const sum = second.add(tensor([1, 2, 3, 4])).clamp(-1e30, 1e30);
    first.relu();
    return cat([sum, input, first], 1);
  }
}

class Failing extends nn.Layer {
  forward(input: Tensor): Tensor {
    return input.reshape([7]);
  }
}

describe('the operators of a network', () => {
  it('are listed in order, with what they read and the shape of one image', () => {
    const network = new nn.Sequential(
      new nn.Conv2d(3, 5, [3, 1], { padding: [1, 0], stride: [2, 1] }),
      new nn.Flatten(),
      new nn.Linear(40, 2),
    );
    expect(outline(network)).toEqual([
      { operator: 'aten::conv2d', reads: [-1], state: ['0.weight', '0.bias'], shape: [1, 5, 2, 4] },
      { operator: 'aten::flatten', reads: [0], state: [], shape: [1, 40] },
      { operator: 'aten::linear', reads: [1], state: ['2.weight', '2.bias'], shape: [1, 2] },
    ]);
    const [conv] = traceOperators(network, image);
    expect(conv!.state.map(({ shape }) => shape)).toEqual([[5, 3, 3, 1], [5]]);
    expect(conv!.attributes.get(3)).toEqual([2, 1]);
    network.free();
  });

  it('name the earlier results that a skip connection reads', () => {
    const network = new ZophNetwork(
      { layers: [layer(), layer({ inputs: [0] }), layer({ inputs: [0, 1] })] },
      image,
    );
    const calls = outline(network);
    const cat = calls.findIndex(({ operator }) => operator === 'aten::cat');
    const relus = calls.flatMap(({ operator }, index) => (operator === 'aten::relu' ? [index] : []));
    expect(calls[cat]!.reads).toEqual([relus[0], relus[1]]);
    expect(calls[cat]!.shape).toEqual([1, 2, 4, 4]);
    network.free();
  });

  it('are followed through operators that work in place', () => {
    const network = new InPlace();
    expect(outline(network).map(({ operator, reads }) => [operator, reads])).toEqual([
      ['aten::conv2d', [-1]],
      ['aten::relu_', [0]],
      ['aten::add_', [1, -1]],
    ]);
    network.free();
  });

  it('have their arguments in place, tensors told by where they come from', () => {
    const network = new Splitting();
    const { calls, output } = traceNetwork(network, image, 2);
    const [conv, chunk, add, clamp, , join] = calls;
    expect(conv!.args.slice(0, 5)).toEqual([
      { from: 'image' },
      { from: 'state', name: 'conv.weight' },
      { from: 'state', name: 'conv.bias' },
      [1, 1],
      [0, 0],
    ]);
    expect(chunk!.shapes).toEqual([
      [2, 1, 4, 4],
      [2, 1, 4, 4],
    ]);
    expect(add!.args.slice(0, 2)).toEqual([
      { from: 'call', call: 1, result: 1 },
      { from: 'constant', dtype: 'float32', values: Float32Array.of(1, 2, 3, 4), shape: [4] },
    ]);
    expect(clamp!.args).toEqual([{ from: 'call', call: 2, result: 0 }, -1e30, 1e30]);
    expect(join!.args).toEqual([
      [{ from: 'call', call: 3, result: 0 }, { from: 'image' }, { from: 'call', call: 1, result: 0 }],
      1,
    ]);
    expect(output).toEqual({ from: 'call', call: 5, result: 0 });
    network.free();
  });

  it('leave no trace: mode, statistics and memory are as before', () => {
    const network = new ZophNetwork({ layers: [layer()] }, image);
    const state = () => [...network.stateDict()].map(([name, value]) => [name, value.toNumbers()]);
    for (const mode of [true, false]) {
      network.train(mode);
      const before = { state: state(), live: liveTensors() };
      traceOperators(network, image);
      expect({ state: state(), live: liveTensors() }).toEqual(before);
      expect([network.training, network.layers[0]!.bn.training]).toEqual([mode, mode]);
    }
    network.free();
  });

  it('are not there where the network fails, whose mode is restored all the same', () => {
    const network = new Failing();
    expect(() => traceOperators(network, image)).toThrow('[7]');
    expect(network.training).toBe(true);
  });
});
