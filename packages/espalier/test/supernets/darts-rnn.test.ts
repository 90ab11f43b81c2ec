import { backward, manualSeed, noGrad, randn, scope, setThreads, type Tensor, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { dartsV2Rnn } from '../../src/hub/darts-v2-rnn.js';
import { buildLanguageModel } from '../../src/networks/build-language-model.js';
import { multiplyAdds } from '../../src/networks/multiply-adds.js';
import { traceLanguageModel } from '../../src/networks/operator-trace.js';
import type { DartsRecurrentGenotype } from '../../src/networks/recurrent/darts-genotype.js';
import { Space } from '../../src/space/space.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { DartsRnnSupernet } from '../../src/supernets/darts-rnn.js';
import { expectGradients } from '../networks/finite-differences.js';

setThreads(1);

const NO_DROPOUT = {
  dropoutEmbedding: 0,
  dropoutInput: 0,
  dropoutCellInput: 0,
  dropoutHidden: 0,
  dropoutOutput: 0,
};
const DROPOUT = {
  dropoutEmbedding: 0.2,
  dropoutInput: 0.2,
  dropoutCellInput: 0.3,
  dropoutHidden: 0.25,
  dropoutOutput: 0.4,
};
const TOKENS = [
  [0, 3, 1],
  [4, 1, 0],
  [2, 2, 4],
];
const VOCABULARY = 5;
const OPERATIONS = ['none', 'tanh', 'relu', 'sigmoid', 'identity'];
const V2 = dartsV2Rnn.architecture as DartsRecurrentGenotype;

/** A supernet in float64 with weights so large that their effects exceed rounding errors. */
function supernetOf(nodes: number, hidden: number, dropout = NO_DROPOUT): DartsRnnSupernet {
  manualSeed(nodes);
  const supernet = new DartsRnnSupernet({ vocabulary: VOCABULARY }, { hidden, nodes, dropout });
  supernet.to({ dtype: 'float64' });
  fill(supernet, (shape) => randn(shape, { dtype: 'float64' }).mul(0.6));
  return supernet;
}

function fill(supernet: DartsRnnSupernet, values: (shape: readonly number[]) => Tensor): void {
  const all = [...supernet.parameters(), supernet.architectureParameters().recurrent];
  noGrad(() => {
    for (const parameter of all) scope(() => parameter.copy_(values(parameter.shape)));
  });
}

/** Batch norm that changes nothing in evaluation. */
function neutral(supernet: DartsRnnSupernet): void {
  noGrad(() =>
    supernet
      .stateDict()
      .get('rnns.0.bn.running_var')!
      .fill_(1 - 1e-5),
  );
}

/** The place of an edge: those into node 1 first. */
const edgeOf = (node: number, state: number) => (node * (node - 1)) / 2 + state;

function run(supernet: DartsRnnSupernet, path?: DartsRecurrentGenotype): number[] {
  return scope(() => {
    const tokens = tensor(TOKENS, 'int64');
    const state = supernet.initialState(3);
    const step = path ? supernet.forwardPath(tokens, state, path) : supernet.forward(tokens, state);
    return [...step.logits.logSoftmax(-1).toNumbers(), ...step.state[0]!.toNumbers()];
  });
}

type Matrix = readonly (readonly number[])[];

/** The supernet in plain numbers, operation by operation and edge by edge. */
function inPlainNumbers(supernet: DartsRnnSupernet, nodes: number, hidden: number): number[] {
  const values = (name: string): Matrix => {
    const stored = supernet.stateDict().get(name)!;
    return matrix(
      scope(() => stored.toNumbers()),
      stored.shape.at(-1)!,
    );
  };
  const alphas = matrix(
    scope(() => supernet.architectureParameters().recurrent.toNumbers()),
    5,
  );
  const probabilities = alphas.map((row) => {
    const total = row.reduce((sum, alpha) => sum + Math.exp(alpha), 0);
    return row.map((alpha) => Math.exp(alpha) / total);
  });
  const [embedding, w0] = [values('encoder.weight'), values('rnns.0._W0')];
  const [mean] = values('rnns.0.bn.running_mean');
  const [variance] = values('rnns.0.bn.running_var');
  const [bias] = values('decoder.bias');
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const activations = [() => 0, Math.tanh, (x: number) => Math.max(0, x), sigmoid, (x: number) => x];
  const times = (row: readonly number[], weights: Matrix) =>
    weights[0]!.map((_, out) => row.reduce((sum, value, i) => sum + value * weights[i]![out]!, 0));
  const normalised = (state: Matrix): Matrix => {
    const unit = (j: number) => state.map((row) => row[j]!);
    const average = (numbers: number[]) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
    return state.map((row) =>
      row.map((x, j) => {
        const [m, v] = supernet.training
          ? [average(unit(j)), average(unit(j).map((y) => (y - average(unit(j))) ** 2))]
          : [mean![j]!, variance![j]!];
        return (x - m) / Math.sqrt(v + 1e-5);
      }),
    );
  };
  let state: Matrix = TOKENS[0]!.map(() => Array<number>(hidden).fill(0));
  const predicted: number[] = [];
  for (const tokens of TOKENS) {
    const first = state.map((h, text) => {
      const products = times([...embedding[tokens[text]!]!, ...h], w0);
      return h.map((s, j) => s + sigmoid(products[j]!) * (Math.tanh(products[hidden + j]!) - s));
    });
    const states = [normalised(first)];
    for (let node = 1; node <= nodes; node++) {
      const weights = values(`rnns.0._Ws.${node - 1}`);
      const sum = state.map(() => Array<number>(hidden).fill(0));
      for (const [from, earlier] of states.entries())
        for (const [text, row] of earlier.entries()) {
          const products = times(row, weights);
          for (const [j, s] of row.entries())
            for (const [k, f] of activations.entries()) {
              const candidate = k === 0 ? 0 : s + sigmoid(products[j]!) * (f(products[hidden + j]!) - s);
              sum[text]![j]! += probabilities[edgeOf(node, from)]![k]! * candidate;
            }
        }
      states.push(normalised(sum));
    }
    state = state.map((row, text) =>
      row.map((_, j) => states.slice(1).reduce((sum, own) => sum + own[text]![j]!, 0) / nodes),
    );
    for (const row of state) {
      const logits = embedding.map((word, i) => word.reduce((sum, x, j) => sum + x * row[j]!, bias![i]!));
      const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
      predicted.push(...logits.map((logit) => logit - total));
    }
  }
  return [...predicted, ...state.flat()];
}

function matrix(values: readonly number[], columns: number): Matrix {
  return Array.from({ length: values.length / columns }, (_, row) =>
    values.slice(row * columns, (row + 1) * columns),
  );
}

function expectEqual(found: readonly number[], expected: readonly number[], digits = 11): void {
  expect(found.length).toBe(expected.length);
  for (const [index, value] of found.entries()) expect(value).toBeCloseTo(expected[index]!, digits);
}

describe('the supernet of darts-rnn', () => {
  it('has the weights of one cell and 180 separate architecture parameters, with the 300 units of the search', () => {
    const supernet = new DartsRnnSupernet(
      { vocabulary: 10_000 },
      { hidden: 300, nodes: 8, dropout: NO_DROPOUT },
    );
    const [words, first, matrices] = [10_000 * 300, 600 * 600, 300 * 600];
    expect(supernet.parameterCount()).toBe(words + 10_000 + first + 8 * matrices);
    expect(supernet.architectureParameters().recurrent.shape).toEqual([36, 5]);
    // Each of the 36 edges multiplies a state by a matrix.
    expect(multiplyAdds(traceLanguageModel(supernet).calls)).toBe(first + 36 * matrices + words);
    supernet.free();
  });

  it("has the names of the authors' search network", () => {
    const supernet = supernetOf(2, 3);
    expect([...supernet.stateDict()].map(([name, { shape }]) => [name, ...shape])).toEqual([
      ['encoder.weight', 5, 3],
      ['rnns.0._W0', 6, 6],
      ['rnns.0._Ws.0', 3, 6],
      ['rnns.0._Ws.1', 3, 6],
      ['decoder.weight', 5, 3],
      ['decoder.bias', 5],
      ['rnns.0.bn.running_mean', 3],
      ['rnns.0.bn.running_var', 3],
      ['rnns.0.bn.num_batches_tracked'],
    ]);
    supernet.free();
  });

  it('starts near the even mixture', () => {
    const supernet = new DartsRnnSupernet(
      { vocabulary: VOCABULARY },
      { hidden: 2, nodes: 8, dropout: NO_DROPOUT },
    );
    const alphas = scope(() => supernet.architectureParameters().recurrent.toNumbers());
    for (const alpha of alphas) expect(Math.abs(alpha)).toBeLessThan(0.006);
    expect(new Set(alphas).size).toBeGreaterThan(150);
    supernet.free();
  });

  it.each([
    ['training, by the statistics of the batch', true],
    ['evaluation, by the running statistics', false],
  ])('is what one works out in plain numbers, in %s', (_, training) => {
    const supernet = supernetOf(3, 2).train(training);
    scope(() =>
      noGrad(() => {
        const state = supernet.stateDict();
        state.get('rnns.0.bn.running_mean')!.copy_(tensor([0.2, -0.3], 'float64'));
        state.get('rnns.0.bn.running_var')!.copy_(tensor([0.5, 1.7], 'float64'));
      }),
    );
    const expected = inPlainNumbers(supernet, 3, 2);
    expectEqual(run(supernet), expected);
    supernet.free();
  });

  it('equals the sampled path when the softmax has decided for it and batch norm does nothing', () => {
    const supernet = supernetOf(8, 3).eval();
    neutral(supernet);
    const chosen = new Map(
      V2.recurrent.map(([activation, state], place) => [edgeOf(place + 1, state), activation]),
    );
    const alphas = Array.from({ length: 36 }, (_, edge) =>
      OPERATIONS.map((name) => (name === (chosen.get(edge) ?? 'none') ? 1000 : 0)),
    );
    noGrad(() => scope(() => supernet.architectureParameters().recurrent.copy_(tensor(alphas, 'float64'))));
    const path = run(supernet, V2);
    expect(new Set(path).size).toBeGreaterThan(40);
    expectEqual(run(supernet), path);
    expect(supernet.derive()).toEqual(V2);
    supernet.free();
  });

  it('runs a sampled path like the language model of that architecture, also in training', () => {
    const supernet = supernetOf(8, 3, DROPOUT);
    const space = Space.configure(dartsRnn, { hidden: 3, nodes: 8, ...DROPOUT });
    const built = buildLanguageModel(space, V2, { vocabulary: VOCABULARY }).to({ dtype: 'float64' });
    const own = [...supernet.stateDict()].filter(([name]) => !name.includes('.bn.'));
    built.loadStateDict(new Map(own));
    for (const training of [true, false]) {
      manualSeed(5);
      const path = run(supernet.train(training), V2);
      manualSeed(5);
      const expected = scope(() => {
        const step = built.train(training).forward(tensor(TOKENS, 'int64'), built.initialState(3));
        return [...step.logits.logSoftmax(-1).toNumbers(), ...step.state[0]!.toNumbers()];
      });
      expect(path).toEqual(expected);
    }
    built.free();
    supernet.free();
  });

  it('is the mixture again after a path, even one that failed', () => {
    const supernet = supernetOf(2, 3).eval();
    const mixture = run(supernet);
    const path: DartsRecurrentGenotype = {
      recurrent: [
        ['tanh', 0],
        ['relu', 1],
      ],
      concat: [1, 2],
    };
    expect(run(supernet, path)).not.toEqual(mixture);
    expect(run(supernet)).toEqual(mixture);
    expect(() =>
      scope(() => supernet.forwardPath(tensor([[9]], 'int64'), supernet.initialState(1), path)),
    ).toThrow(/index/);
    expect(run(supernet)).toEqual(mixture);
    supernet.free();
  });

  it('has the gradients of central differences for the weights and the architecture parameters', () => {
    const supernet = supernetOf(3, 2, DROPOUT);
    const inputs = new Map<string, Tensor>([
      ...supernet.namedParameters(),
      ['alphas', supernet.architectureParameters().recurrent],
    ]);
    // Decoder and embedding share their weight.
    inputs.delete('decoder.weight');
    scope(() => {
      const weights = randn([3, 3, 5]).to({ dtype: 'float64' });
      expectGradients(() => {
        manualSeed(7);
        const step = supernet.forward(tensor(TOKENS, 'int64'), supernet.initialState(3));
        return step.logits.mul(weights).sum();
      }, inputs);
    });
    supernet.free();
  });

  it('trains no architecture parameters on a sampled path', () => {
    const supernet = supernetOf(2, 3);
    scope(() => {
      const path = { recurrent: [['tanh', 0] as const, ['relu', 0] as const], concat: [1, 2] };
      const step = supernet.forwardPath(tensor(TOKENS, 'int64'), supernet.initialState(3), path);
      backward(step.logits.square().sum());
    });
    for (const [name, { grad }] of supernet.namedParameters()) expect(grad, name).toBeDefined();
    expect(supernet.architectureParameters().recurrent.grad).toBeUndefined();
    supernet.free();
  });

  it('derives for each node the edge whose best operation but none is strongest', () => {
    const supernet = supernetOf(3, 2);
    const alphas = [
      [9, 0, 0, 0, 0],
      // The strongest of all, but 'none' takes nearly all the weight of its edge.
      [9, 0, 0, 0, 8],
      [0, 0, 0, 1, 0],
      [0, 2, 0, 0, 0],
      [0, 0, 3, 0, 0],
      [0, 0, 0, 3, 0],
    ];
    noGrad(() => scope(() => supernet.architectureParameters().recurrent.copy_(tensor(alphas, 'float64'))));
    expect(supernet.derive()).toEqual({
      recurrent: [
        // All equal: the first operation.
        ['tanh', 0],
        ['sigmoid', 1],
        // Equal: the first edge.
        ['relu', 1],
      ],
      concat: [1, 2, 3],
    });
    supernet.free();
  });

  it('frees its architecture parameters and moves them with its own', () => {
    const supernet = supernetOf(2, 3);
    const { recurrent } = supernet.architectureParameters();
    expect(recurrent.dtype).toBe('float64');
    supernet.free();
    expect(recurrent.isLive).toBe(false);
  });
});
