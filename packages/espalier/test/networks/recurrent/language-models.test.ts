import {
  backward,
  grad,
  manualSeed,
  noGrad,
  ones,
  randn,
  scope,
  setThreads,
  type Tensor,
  tensor,
} from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { dartsV2Rnn } from '../../../src/hub/darts-v2-rnn.js';
import { buildLanguageModel } from '../../../src/networks/build-language-model.js';
import type { LanguageModel } from '../../../src/networks/language-model.js';
import { activationRegularisation } from '../../../src/networks/recurrent/activation-regularisation.js';
import { embeddedDropout } from '../../../src/networks/recurrent/variational-dropout.js';
import { Random } from '../../../src/random/random.js';
import { choose } from '../../../src/space/language.js';
import { type AnySpaceDefinition, defineSpace, Space } from '../../../src/space/space.js';
import { dartsRnn } from '../../../src/spaces/darts-rnn.js';
import { zophCnn } from '../../../src/spaces/zoph-cnn.js';
import { zophRnn } from '../../../src/spaces/zoph-rnn.js';

setThreads(1);

const TOKENS = [
  [0, 3],
  [4, 1],
  [2, 2],
  [1, 0],
];
const VOCABULARY = 5;

/** A model of a sampled architecture, or of the first architecture of the space. */
function model(definition: AnySpaceDefinition, options: object, seed = 1): LanguageModel {
  const space = Space.configure(definition, options);
  manualSeed(seed);
  const architecture = space.decode(space.sample(Random.of(seed, 'architecture')));
  return buildLanguageModel(space, architecture, { vocabulary: VOCABULARY });
}

describe('the language model of DARTS', () => {
  it('has 23 million parameters with 850 units and the vocabulary of Penn Treebank', () => {
    const space = Space.configure(dartsRnn, { hidden: 850 });
    const network = buildLanguageModel(space, dartsV2Rnn.architecture, { vocabulary: 10_000 });
    expect(network.parameterCount()).toBe(22_960_000);
    network.free();
  });

  it("has the names and shapes of the authors' state dictionary, with tied embedding and decoder", () => {
    const network = model(dartsRnn, { hidden: 3, nodes: 2 });
    const state = network.stateDict();
    expect([...state].map(([name, { shape }]) => [name, ...shape])).toEqual([
      ['encoder.weight', 5, 3],
      ['rnns.0._W0', 6, 6],
      ['rnns.0._Ws.0', 3, 6],
      ['rnns.0._Ws.1', 3, 6],
      ['decoder.weight', 5, 3],
      ['decoder.bias', 5],
    ]);
    expect(state.get('decoder.weight')).toBe(state.get('encoder.weight'));
    expect(network.parameterCount()).toBe(15 + 36 + 18 + 18 + 5);
    network.free();
  });

  it('is initialised with weights within ± 0.04 and zero bias', () => {
    const network = model(dartsRnn, { hidden: 20, nodes: 3 });
    for (const [name, parameter] of network.namedParameters()) {
      const largest = Math.max(...parameter.toNumbers().map(Math.abs));
      if (name === 'decoder.bias') expect(largest).toBe(0);
      else {
        expect(largest).toBeLessThanOrEqual(Math.fround(0.04));
        expect(largest).toBeGreaterThan(0.03);
      }
    }
    network.free();
  });

  it('consists of embedding, cell, tied decoder and log-softmax', () => {
    const network = model(dartsRnn, { hidden: 1, nodes: 1 }).eval().to({ dtype: 'float64' });
    const state = network.stateDict();
    const set = (name: string, values: number[] | number[][]) =>
      noGrad(() => state.get(name)!.copy_(tensor(values, 'float64')));
    scope(() => {
      const words = [0.1, -0.2, 0.3, 0.4, -0.5];
      const bias = [0.01, 0.02, 0.03, 0.04, 0.05];
      set(
        'encoder.weight',
        words.map((word) => [word]),
      );
      // The gate is always 1/2, so s0 = (h + tanh(x)) / 2. Node 1 keeps half of it, and its activation adds nothing.
      set('rnns.0._W0', [
        [0, 1],
        [0, 0],
      ]);
      set('rnns.0._Ws.0', [[0, 0]]);
      set('decoder.bias', bias);
      const space = Space.configure(dartsRnn, { hidden: 1, nodes: 1 });
      const own = buildLanguageModel(
        space,
        { recurrent: [['relu', 0]], concat: [1] },
        { vocabulary: VOCABULARY },
      );
      own.eval().to({ dtype: 'float64' }).loadStateDict(state);
      const hidden = tensor([[0.6]], 'float64');
      const { logits, state: after } = own.forward(tensor([[4], [2]], 'int64'), [hidden]);
      const first = (0.6 + Math.tanh(-0.5)) / 4;
      const second = (first + Math.tanh(0.3)) / 4;
      expect(after[0]!.item()).toBeCloseTo(second, 14);
      const rows = [first, second].map((h) => {
        const logits = words.map((word, i) => word * h + bias[i]!);
        const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
        return logits.map((logit) => logit - total);
      });
      for (const [i, value] of logits.logSoftmax(-1).toNumbers().entries())
        expect(value).toBeCloseTo(rows.flat()[i]!, 14);
      own.free();
    });
    network.free();
  });
});

describe('the language model of Zoph & Le', () => {
  it('has 25 million parameters with shared embeddings, and 32 million without', () => {
    const size = (options: object) => {
      const space = Space.configure(zophRnn, options);
      const tree = space.decode(space.sample(Random.of(1, 'architecture')));
      const network = buildLanguageModel(space, tree, { vocabulary: 10_000 });
      const count = network.parameterCount();
      network.free();
      return count;
    };
    const layers = 2 * 16 * 740 ** 2;
    expect(size({})).toBe(7_410_000 + layers);
    expect(size({})).toBe(24_933_200);
    expect(size({ tied: false })).toBe(7_410_000 + 7_400_000 + layers);
  });

  it('carries the state of each layer over to the next window', () => {
    const network = model(zophRnn, { base: 2, hidden: 3, layers: 2 });
    scope(() => {
      const { state } = network.forward(tensor(TOKENS, 'int64'), network.initialState(2));
      expect(state.map(({ shape }) => shape)).toEqual([
        [2, 3],
        [2, 3],
        [2, 3],
        [2, 3],
      ]);
    });
    network.free();
  });
});

/** Sets weights to larger values than the initial ones, so that their effect is not lost in rounding. */
function enlarge(network: LanguageModel): void {
  noGrad(() => {
    for (const parameter of network.parameters())
      scope(() => parameter.copy_(randn(parameter.shape, { dtype: 'float64' }).mul(0.5)));
  });
}

const MODELS: [string, AnySpaceDefinition, object][] = [
  ['darts-rnn', dartsRnn, { hidden: 4, nodes: 5 }],
  ['darts-rnn of ends', dartsRnn, { hidden: 4, nodes: 5, output: 'ends' }],
  ['zoph-rnn', zophRnn, { base: 4, hidden: 4, layers: 2 }],
  ['zoph-rnn untied, with max and sin', zophRnn, { base: 2, hidden: 4, maxAndSin: true, tied: false }],
];

describe.each(MODELS)('a model of %s', (_, definition, options) => {
  it('gives the same result for a text in two BPTT windows as in one', () => {
    const network = model(definition, options).eval().to({ dtype: 'float64' });
    scope(() => {
      const whole = network.forward(tensor(TOKENS, 'int64'), network.initialState(2));
      const first = network.forward(tensor(TOKENS.slice(0, 3), 'int64'), network.initialState(2));
      const second = network.forward(tensor(TOKENS.slice(3), 'int64'), first.state);
      const parts = [...first.logits.toNumbers(), ...second.logits.toNumbers()];
      for (const [i, value] of whole.logits.toNumbers().entries()) expect(parts[i]).toBeCloseTo(value, 12);
    });
    network.free();
  });

  it('processes each text independently', () => {
    const network = model(definition, options).eval().to({ dtype: 'float64' });
    scope(() => {
      const both = network.forward(tensor(TOKENS, 'int64'), network.initialState(2));
      const right = TOKENS.map(([, token]) => [token!]);
      const alone = network.forward(tensor(right, 'int64'), network.initialState(1));
      const values = both.logits.select(1, 1).toNumbers();
      for (const [i, value] of alone.logits.toNumbers().entries()) expect(values[i]).toBeCloseTo(value, 12);
    });
    network.free();
  });

  it.each([1, 2, 3])(
    'has gradients that agree with finite differences, with dropout (architecture %i)',
    (seed) => {
      const rates = { dropoutEmbedding: 0.2, dropoutCellInput: 0.3, dropoutOutput: 0.3 };
      const network = model(definition, { ...options, ...rates }, seed).to({ dtype: 'float64' });
      scope(() => {
        enlarge(network);
        const tokens = tensor(TOKENS, 'int64');
        const targets = tensor([1, 2, 3, 4, 0, 1, 2, 3], 'int64');
        const loss = (): Tensor => {
          // Use the same masks every time.
          manualSeed(7);
          const state = network.initialState(2).map((part) => part.add(0.1));
          const { logits, activations } = network.forward(tokens, state);
          const regularisation = activationRegularisation(activations, { alpha: 0.3, beta: 0.2 });
          return logits.flatten(0, 1).crossEntropyLoss(targets).add(regularisation!);
        };
        const parameters = network.parameters();
        const gradients = grad(loss(), parameters);
        for (const [p, parameter] of parameters.entries()) {
          const values = gradients[p]!.toNumbers();
          const flat = parameter.view([-1]);
          // Check every third element of large parameters, which covers each row and column.
          for (let i = 0; i < values.length; i += values.length > 20 ? 3 : 1) {
            const at = (offset: number) =>
              scope(() =>
                noGrad(() => {
                  flat.narrow(0, i, 1).add_(offset);
                  const value = loss().item();
                  flat.narrow(0, i, 1).add_(-offset);
                  return value;
                }),
              );
            const difference = (at(1e-5) - at(-1e-5)) / 2e-5;
            expect(values[i]).toBeCloseTo(difference, 7);
          }
        }
      });
      network.free();
    },
  );

  it('draws new masks for each BPTT window in training, and uses none in evaluation', () => {
    // The usual rates would drop all of so few outputs in every tenth window, and architecture 1 multiplies most of them away.
    const rates = { dropoutCellInput: 0.3, dropoutOutput: 0.3 };
    const network = model(definition, { ...options, ...rates }, 2).to({ dtype: 'float64' });
    enlarge(network);
    scope(() => {
      // With a cell state of zero, injection by a product would leave nothing to drop.
      const state = network.initialState(2).map((part) => part.add(0.5));
      const run = () => network.forward(tensor(TOKENS, 'int64'), state).logits.toNumbers();
      manualSeed(1);
      const first = run();
      expect(run()).not.toEqual(first);
      manualSeed(1);
      expect(run()).toEqual(first);
      network.eval();
      expect(run()).toEqual(run());
    });
    network.free();
  });

  it('memorises a text', () => {
    const plain = {
      dropoutInput: 0,
      dropoutCellInput: 0,
      dropoutHidden: 0,
      dropoutOutput: 0,
    };
    const network = model(definition, { ...options, ...plain, hidden: 16 }, 2);
    const loss = () => {
      const tokens = tensor(TOKENS.slice(0, 3), 'int64');
      const targets = tensor(TOKENS.slice(1).flat(), 'int64');
      const { logits } = network.forward(tokens, network.initialState(2));
      return logits.flatten(0, 1).crossEntropyLoss(targets);
    };
    const value = () => scope(() => loss().item());
    const before = value();
    for (let step = 0; step < 60; step++)
      scope(() => {
        backward(loss());
        noGrad(() => {
          for (const parameter of network.parameters()) {
            parameter.add_(parameter.grad!, { alpha: -1 });
            parameter.grad!.zero_();
          }
        });
      });
    expect(before).toBeCloseTo(Math.log(VOCABULARY), 1);
    expect(value()).toBeLessThan(before - 0.1);
    network.free();
  });
});

describe('embedding dropout', () => {
  it('drops a word at all of its positions', () => {
    scope(() => {
      manualSeed(2);
      const weight = ones([50, 2], { dtype: 'float64' });
      const tokens = tensor([Array.from({ length: 50 }, (_, i) => i), Array(50).fill(7)], 'int64');
      const [each, seven] = embeddedDropout(weight, tokens, 0.5).unbind(0);
      const words = each!.toNumbers();
      expect(new Set(words)).toEqual(new Set([0, 2]));
      for (let word = 0; word < 50; word++) expect(words[2 * word]).toBe(words[2 * word + 1]);
      expect(new Set(seven!.toNumbers())).toEqual(new Set([words[14]]));
    });
  });
});

describe('activation regularisation', () => {
  const activations = () => ({
    raw: tensor([[[1, 2]], [[3, 2]], [[3, -2]]], 'float64'),
    dropped: tensor([[[2, 0]], [[6, 0]], [[6, 0]]], 'float64'),
  });

  it('adds the mean squares of the activations and of their changes over time', () => {
    scope(() => {
      const of = (alpha: number, beta: number) =>
        activationRegularisation(activations(), { alpha, beta })?.item();
      expect(of(3, 0)).toBeCloseTo((3 * 76) / 6, 12);
      expect(of(0, 2)).toBeCloseTo((2 * 20) / 4, 12);
      expect(of(3, 2)).toBeCloseTo(38 + 10, 12);
      expect(of(0, 0)).toBeUndefined();
    });
  });

  it('adds no term for changes if there is only one time step', () => {
    scope(() => {
      const one = tensor([[[1, 2]]], 'float64');
      expect(activationRegularisation({ raw: one, dropped: one }, { alpha: 0, beta: 1 })).toBeUndefined();
    });
  });
});

describe('buildLanguageModel', () => {
  it('rejects an image space, and a space whose network is not a language model', () => {
    expect(() => buildLanguageModel(Space.configure(zophCnn), {}, { vocabulary: 5 })).toThrow(
      'space zoph-cnn: its networks read images; needed here: tokens',
    );
    const own = defineSpace({
      name: 'own',
      reads: 'tokens',
      *choices() {
        return { one: yield* choose('one', [1]) };
      },
      network: (_, { vocabulary }) => [vocabulary],
    });
    expect(() => buildLanguageModel(Space.configure(own), {}, { vocabulary: 5 })).toThrow(
      'space own: network() returns [object Array]; allowed: a LanguageModel',
    );
  });

  it.each([0, 1.5, Number.NaN])('rejects a vocabulary of %d', (vocabulary) => {
    const space = Space.configure(dartsRnn, { hidden: 2 });
    expect(() => buildLanguageModel(space, dartsV2Rnn.architecture, { vocabulary })).toThrow(
      `the vocabulary is ${vocabulary}; allowed: a whole number of tokens from 1`,
    );
  });
});
