import { cat, liveTensors, nn, setThreads, type Tensor, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { buildLanguageModel } from '../../src/networks/build-language-model.js';
import { multiplyAdds } from '../../src/networks/multiply-adds.js';
import { tensorsOf, traceClassifier, traceLanguageModel } from '../../src/networks/operator-trace.js';
import type { ConvolutionLayer } from '../../src/networks/zoph-cnn/convolution-layer.js';
import { ZophNetwork } from '../../src/networks/zoph-cnn/network.js';
import { Random } from '../../src/random/random.js';
import { Space } from '../../src/space/space.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { layer } from './architectures.js';

setThreads(1);

const image = { channels: 3, height: 4, width: 4, classes: 2 };

/** The calls without attributes, which are internal to libtorch. */
const outline = (network: nn.Layer) =>
  traceClassifier(network, image).calls.map((call) => ({
    operator: call.operator,
    module: call.module,
    reads: tensorsOf(call).map((tensor) =>
      tensor.from === 'state' ? tensor.name : tensor.from === 'call' ? tensor.call : tensor.from,
    ),
    shape: call.shapes[0],
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
  it('are listed in order, with their inputs and the shapes for one image', () => {
    const network = new nn.Sequential(
      new nn.Conv2d(3, 5, [3, 1], { padding: [1, 0], stride: [2, 1] }),
      new nn.Flatten(),
      new nn.Linear(40, 2),
    );
    expect(outline(network)).toEqual([
      { operator: 'aten::conv2d', module: '0', reads: ['input', '0.weight', '0.bias'], shape: [1, 5, 2, 4] },
      { operator: 'aten::flatten', module: '1', reads: [0], shape: [1, 40] },
      { operator: 'aten::linear', module: '2', reads: [1, '2.weight', '2.bias'], shape: [1, 2] },
    ]);
    network.free();
  });

  it('refer to the earlier results that a skip connection reads', () => {
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

  it('are traced through in-place operators', () => {
    const network = new InPlace();
    expect(outline(network).map(({ operator, reads }) => [operator, reads])).toEqual([
      ['aten::conv2d', ['input', 'conv.weight', 'conv.bias']],
      ['aten::relu_', [0]],
      ['aten::add_', [1, 'input']],
    ]);
    network.free();
  });

  it('have their arguments in order, with tensors identified by origin', () => {
    const network = new Splitting();
    const { calls, outputs } = traceClassifier(network, image, 2);
    const [conv, chunk, add, clamp, , join] = calls;
    expect(conv!.args.slice(0, 5)).toEqual([
      { from: 'input', name: 'image' },
      { from: 'state', name: 'conv.weight', shape: [2, 3, 1, 1] },
      { from: 'state', name: 'conv.bias', shape: [2] },
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
      [
        { from: 'call', call: 3, result: 0 },
        { from: 'input', name: 'image' },
        { from: 'call', call: 1, result: 0 },
      ],
      1,
    ]);
    expect(outputs).toEqual({ logits: { from: 'call', call: 5, result: 0 } });
    network.free();
  });

  it('of a language model are those for one token, with the state before and after it', () => {
    const space = Space.configure(dartsRnn, { hidden: 4 });
    const model = buildLanguageModel(space, space.decode(space.sample(Random.of(1, 'cell'))), {
      vocabulary: 6,
    });
    const { calls, outputs } = traceLanguageModel(model, 3);
    expect(Object.keys(outputs)).toEqual(['logProbabilities', 'next.0']);
    const shapeOf = (name: string) => {
      const output = outputs[name];
      return output?.from === 'call' ? calls[output.call]!.shapes[output.result] : undefined;
    };
    expect([shapeOf('logProbabilities'), shapeOf('next.0')]).toEqual([
      [1, 3, 6],
      [3, 4],
    ]);
    const inputs = new Set(
      calls.flatMap(tensorsOf).flatMap((read) => (read.from === 'input' ? [read.name] : [])),
    );
    expect(inputs).toEqual(new Set(['tokens', 'state.0']));
    // The embedding; the first product, which reads both halves of [8, 8]; and eight nodes with a matrix [4, 8] each.
    expect(multiplyAdds(calls)).toBe(3 * (8 * 8 + 8 * 4 * 8 + 4 * 6));
    expect(Object.hasOwn(model, 'forward')).toBe(false);
    model.free();
  });

  it('are traced without side effects: mode, statistics and memory are unchanged', () => {
    const network = new ZophNetwork({ layers: [layer()] }, image);
    const state = () => [...network.stateDict()].map(([name, value]) => [name, value.toNumbers()]);
    for (const mode of [true, false]) {
      network.train(mode);
      const before = { state: state(), live: liveTensors() };
      traceClassifier(network, image);
      expect({ state: state(), live: liveTensors() }).toEqual(before);
      expect([network.training, (network.layers[0] as ConvolutionLayer).bn.training]).toEqual([mode, mode]);
    }
    network.free();
  });

  it('are traced in the memory of one result, however many large ones there are', () => {
    const network = new nn.Sequential(...Array.from({ length: 64 }, () => new nn.ReLU()));
    const before = process.memoryUsage.rss();
    // 16 MiB each, a GiB in all.
    const { calls } = traceClassifier(network, { channels: 1, height: 2048, width: 2048, classes: 1 });
    expect(calls.reduce((sum, { memory }) => sum + (memory[0]?.bytes ?? 0), 0)).toBe(2 ** 30);
    expect(process.memoryUsage.rss() - before).toBeLessThan(150 << 20);
  });

  it('cannot be traced if the network fails, but its mode is restored', () => {
    const network = new Failing();
    expect(() => traceClassifier(network, image)).toThrow('[7]');
    expect(network.training).toBe(true);
  });
});
