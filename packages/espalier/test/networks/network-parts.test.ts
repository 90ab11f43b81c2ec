import { nn, ones, setThreads, type Tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { activationBytes } from '../../src/networks/activation-memory.js';
import { buildLanguageModel } from '../../src/networks/build-language-model.js';
import { buildNetwork } from '../../src/networks/build-network.js';
import { multiplyAdds } from '../../src/networks/multiply-adds.js';
import { type NetworkPart, networkParts } from '../../src/networks/network-parts.js';
import { traceClassifier, traceLanguageModel } from '../../src/networks/operator-trace.js';
import { Random } from '../../src/random/random.js';
import { Space } from '../../src/space/space.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { nasnet } from '../../src/spaces/nasnet.js';
import { buildSupernet } from '../../src/supernets/build-supernet.js';

setThreads(1);

const image = { channels: 3, height: 8, width: 8, classes: 2 };

const sumOf = (parts: readonly NetworkPart[], of: 'params' | 'macs' | 'activationBytes') =>
  parts.reduce((sum, part) => sum + part[of], 0);

class Block extends nn.Module {
  readonly kind = 'doubling';
  readonly conv = new nn.Conv2d(3, 3, 1, { bias: false });

  double(input: Tensor): Tensor {
    return this.conv.forward(input).add(input);
  }
}

class Network extends nn.Layer {
  readonly blocks = [new Block(), new Block()];
  readonly unused = new nn.Linear(3, 2);
  readonly scale = new nn.Parameter(ones([1]));

  forward(input: Tensor): Tensor {
    return this.blocks.reduce((value, block) => block.double(value), input).mul(this.scale);
  }
}

describe('the parts of a network', () => {
  it('are its children and the rest, each with the operators that it calls', () => {
    const network = new Network();
    const bytes = 3 * 8 * 8 * 4;
    const block = {
      kind: 'doubling',
      params: 9,
      macs: 9 * 64,
      activationBytes: 2 * bytes,
      output: [3, 8, 8],
    };
    expect(networkParts(network, traceClassifier(network, image), 1)).toEqual([
      { module: 'blocks.0', ...block },
      { module: 'blocks.1', ...block },
      { module: 'unused', kind: 'Linear', params: 8, macs: 0, activationBytes: 0, output: null },
      { module: '', kind: '', params: 1, macs: 0, activationBytes: bytes, output: [3, 8, 8] },
    ]);
    network.free();
  });

  it.each([
    [
      'darts-cnn',
      Space.configure(dartsCnn, { channels: 4, layers: 3 }),
      ['normal', 'reduction', 'reduction'],
    ],
    [
      'nasnet',
      Space.configure(nasnet, { channels: 4, cells: 1 }),
      ['normal', 'reduction', 'normal', 'reduction', 'normal'],
    ],
  ])(
    'of %s are the stem, the cells by kind and the classifier, and add up to the whole',
    (_, space, kinds) => {
      const network = buildNetwork(space, space.decode(space.sample(Random.of(1, 'cells'))), image);
      const trace = traceClassifier(network, image);
      const parts = networkParts(network, trace, 1);
      const cells = parts.filter(({ module }) => module.startsWith('cells.'));
      expect(cells.map(({ kind }) => kind)).toEqual(kinds);
      expect(parts[0]).toMatchObject({ module: 'stem', kind: 'Sequential', output: [12, 8, 8] });
      expect(sumOf(parts, 'params')).toBe(network.parameterCount());
      expect(sumOf(parts, 'macs')).toBe(multiplyAdds(trace.calls));
      expect(sumOf(parts, 'activationBytes')).toBe(activationBytes(trace));
      network.free();
    },
  );

  it('of a supernet contain all candidate operations of a cell', () => {
    const space = Space.configure(dartsCnn, { channels: 2, layers: 3 });
    const supernet = buildSupernet(space, image);
    const trace = traceClassifier(supernet, image);
    const parts = networkParts(supernet, trace, 1);
    expect(parts.map(({ module, kind }) => `${module} ${kind}`)).toEqual([
      'stem Sequential',
      'cells.0 normal',
      'cells.1 reduction',
      'cells.2 reduction',
      'classifier Linear',
      ' ',
    ]);
    // The cell concatenates four nodes.
    expect(parts.slice(1, 4).map(({ output }) => output)).toEqual([
      [8, 8, 8],
      [16, 4, 4],
      [32, 2, 2],
    ]);
    expect(sumOf(parts, 'macs')).toBe(multiplyAdds(trace.calls));
    supernet.free();
  });

  it('of a language model count a tied weight once, and have the shapes for one token', () => {
    const space = Space.configure(dartsRnn, { hidden: 4 });
    const model = buildLanguageModel(space, space.decode(space.sample(Random.of(1, 'cell'))), {
      vocabulary: 6,
    });
    const parts = networkParts(model, traceLanguageModel(model), 2);
    expect(parts.map(({ module, params, macs, output }) => [module, params, macs, output])).toEqual([
      ['encoder', 24, 0, [4]],
      // From input and state to value and gate, and the matrices of eight nodes.
      ['rnns.0', 8 * 8 + 8 * 4 * 8, 8 * 8 + 8 * 4 * 8, [4]],
      ['decoder', 6, 24, [6]],
      ['', 0, 0, [6]],
    ]);
    model.free();
  });
});
