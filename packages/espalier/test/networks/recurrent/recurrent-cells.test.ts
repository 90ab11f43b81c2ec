import { eye, manualSeed, noGrad, ones, scope, setThreads, type Tensor, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import type { LanguageModelState } from '../../../src/networks/language-model.js';
import { DartsRecurrentCell } from '../../../src/networks/recurrent/darts-cell.js';
import type { RecurrentCell } from '../../../src/networks/recurrent/recurrent-cell.js';
import { lockedDropout } from '../../../src/networks/recurrent/variational-dropout.js';
import { ZophRecurrentCell } from '../../../src/networks/recurrent/zoph-cell.js';
import type { TreeNode } from '../../../src/networks/recurrent/zoph-tree.js';

setThreads(1);

const NONE = {
  dropoutEmbedding: 0,
  dropoutInput: 0,
  dropoutCellInput: 0,
  dropoutHidden: 0,
  dropoutOutput: 0,
};
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const relu = (x: number) => Math.max(0, x);

/** A cell in float64 with the given weights, in the order of its parameters. */
function withWeights<C extends RecurrentCell>(cell: C, ...weights: number[][][]): C {
  cell.to({ dtype: 'float64' });
  noGrad(() => {
    for (const [index, parameter] of cell.parameters().entries())
      scope(() => parameter.copy_(tensor(weights[index]!, 'float64')));
  });
  return cell;
}

const column = (...values: number[]) =>
  tensor(
    values.map((value) => [value]),
    'float64',
  );

describe('the recurrent cell of DARTS', () => {
  it('agrees with a computation by hand for one unit', () => {
    const recurrent = [
      ['relu', 0],
      ['identity', 1],
      ['sigmoid', 0],
      ['tanh', 2],
    ] as const;
    const cell = withWeights(
      new DartsRecurrentCell({ recurrent, concat: [1, 3, 4] }, 1, 1),
      // The rows are input and last output; the columns are gate and value.
      [
        [0.3, 0.8],
        [-0.5, 1.1],
      ],
      [[0.7, 0.9]],
      [[-0.4, 1.5]],
      [[0.2, -0.6]],
      [[1.2, 2]],
    );
    const step = (x: number, h: number) => {
      const highway = (from: number, gate: number, to: number) => from + sigmoid(gate) * (to - from);
      const s0 = highway(h, 0.3 * x - 0.5 * h, Math.tanh(0.8 * x + 1.1 * h));
      const s1 = highway(s0, 0.7 * s0, relu(0.9 * s0));
      const s2 = highway(s1, -0.4 * s1, 1.5 * s1);
      const s3 = highway(s0, 0.2 * s0, sigmoid(-0.6 * s0));
      const s4 = highway(s2, 1.2 * s2, Math.tanh(2 * s2));
      return (s1 + s3 + s4) / 3;
    };
    scope(() => {
      const inputs = tensor(
        [
          [[0.5], [-1]],
          [[2], [0.25]],
        ],
        'float64',
      );
      const { outputs, state } = cell.forward(inputs, [column(-0.25, 0.75)], NONE);
      const first = [step(0.5, -0.25), step(-1, 0.75)] as const;
      const second = [step(2, first[0]), step(0.25, first[1])];
      expect(outputs.shape).toEqual([2, 2, 1]);
      for (const [i, value] of outputs.toNumbers().entries())
        expect(value).toBeCloseTo([...first, ...second][i]!, 14);
      expect(state.map((tensor) => tensor.toNumbers())).toEqual([outputs.toNumbers().slice(2)]);
    });
    cell.free();
  });

  it('splits its products into gates, then values', () => {
    const cell = withWeights(
      new DartsRecurrentCell({ recurrent: [['identity', 0]], concat: [1] }, 2, 2),
      [
        [0, 0, 0.1, 0.2],
        [0, 0, 0.3, 0.4],
        [100, -100, 0, 0],
        [100, -100, 0, 0],
      ],
      [
        [-100, 100, 0, 0],
        [-100, 100, 0, 0],
      ],
    );
    scope(() => {
      // The gates of state 0 are 1 and 0. Those of node 1 are 0 and 1, and its values are 0.
      const inputs = tensor([[[1, 2]]], 'float64');
      const { outputs } = cell.forward(inputs, [tensor([[5, 6]], 'float64')], NONE);
      expect(outputs.toNumbers()[0]).toBeCloseTo(Math.tanh(0.1 + 0.6), 14);
      expect(outputs.toNumbers()[1]).toBeCloseTo(0, 14);
    });
    cell.free();
  });
});

describe('the recurrent cell of Zoph & Le', () => {
  const ILLUSTRATION = {
    nodes: [
      { combination: 'add', activation: 'tanh' },
      { combination: 'elem_mult', activation: 'relu' },
      { combination: 'elem_mult', activation: 'sigmoid' },
    ],
    cellInject: { combination: 'add', activation: 'relu' },
    cellIndex: { next: 1, previous: 0 },
  } as const;
  const [W1, W2, W3, W4] = [0.5, -0.7, 0.9, 1.3];
  const weights = [[[W1, W3]], [[W2, W4]]];

  it('computes the example of the paper (section 3.4)', () => {
    const cell = withWeights(new ZophRecurrentCell(ILLUSTRATION, 1, 1), ...weights);
    scope(() => {
      const state = [column(0.4), column(1.5)];
      const after = cell.forward(tensor([[[0.8]]], 'float64'), state, NONE);
      const a0 = relu(Math.tanh(W1 * 0.8 + W2 * 0.4) + 1.5);
      const before1 = W3 * 0.8 * (W4 * 0.4);
      const [h, c] = after.state.map((tensor) => tensor.item()) as [number, number];
      expect(h).toBeCloseTo(sigmoid(a0 * relu(before1)), 14);
      expect(c).toBeCloseTo(before1, 14);
      expect(after.outputs.toNumbers()).toEqual([h]);
    });
    cell.free();
  });

  it('injects at the root, and stores its value before activation and injection; with max and sin', () => {
    const control = {
      nodes: [
        { combination: 'max', activation: 'identity' },
        { combination: 'add', activation: 'sin' },
        { combination: 'max', activation: 'sin' },
      ],
      cellInject: { combination: 'elem_mult', activation: 'tanh' },
      cellIndex: { next: 2, previous: 2 },
    } as const;
    const cell = withWeights(new ZophRecurrentCell(control, 1, 1), ...weights);
    const step = (x: number, [h, c]: readonly [number, number]) => {
      const root = Math.max(Math.max(W1 * x, W2 * h), Math.sin(W3 * x + W4 * h));
      return [Math.tanh(Math.sin(root) * c), root] as const;
    };
    scope(() => {
      const inputs = tensor([[[0.8]], [[-0.3]]], 'float64');
      const { state } = cell.forward(inputs, [column(0.4), column(1.5)], NONE);
      const expected = step(-0.3, step(0.8, [0.4, 1.5]));
      for (const [i, tensor] of state.entries()) expect(tensor.item()).toBeCloseTo(expected[i]!, 14);
    });
    cell.free();
  });

  it('combines nodes pairwise in the order of their indices, including for an odd base', () => {
    const plain: TreeNode = { combination: 'add', activation: 'identity' };
    const product: TreeNode = { combination: 'elem_mult', activation: 'identity' };
    const tree = {
      nodes: [plain, plain, plain, product, plain],
      cellInject: plain,
      cellIndex: { next: 3, previous: 2 },
    };
    const cell = withWeights(new ZophRecurrentCell(tree, 1, 1), [[1, 2, 3]], [[0, 0, 0]]);
    scope(() => {
      const { state } = cell.forward(tensor([[[1]]], 'float64'), [column(1), column(10)], NONE);
      // Node 3 combines leaves 0 and 1: 1 * 2. Node 4 combines leaf 2 (3, with the 10 of the cell state) and node 3.
      expect(state.map((tensor) => tensor.item())).toEqual([15, 2]);
    });
    cell.free();
  });

  it('has two matrices per leaf and no other weights', () => {
    const cell = new ZophRecurrentCell(ILLUSTRATION, 3, 5);
    expect(cell.parameterCount()).toBe(2 * (3 * 5 + 5 * 5));
    cell.free();
  });
});

describe('variational dropout', () => {
  const UNITS = 200;

  it('drops the same elements at each time step, different ones in each text, and scales the rest', () => {
    scope(() => {
      manualSeed(3);
      const dropped = lockedDropout(ones([4, 2, UNITS], { dtype: 'float64' }), 0.75);
      const [first, ...later] = dropped.unbind(0).map((step) => step.toNumbers()) as [
        number[],
        ...number[][],
      ];
      expect(new Set(first)).toEqual(new Set([0, 4]));
      for (const step of later) expect(step).toEqual(first);
      expect(first.slice(0, UNITS)).not.toEqual(first.slice(UNITS));
      // 400 draws with probability 1/4: mean 100, standard deviation 8.7.
      expect(first.filter((value) => value > 0).length).toBeGreaterThan(60);
      expect(first.filter((value) => value > 0).length).toBeLessThan(140);
    });
  });

  /** A cell with h' = x + h for each unit, so that the masks are visible in the output. */
  const sum = () => {
    const node: TreeNode = { combination: 'add', activation: 'identity' };
    const cell = new ZophRecurrentCell(
      {
        nodes: [node],
        cellInject: { ...node, combination: 'elem_mult' },
        cellIndex: { next: 0, previous: 0 },
      },
      UNITS,
      UNITS,
    );
    cell.to({ dtype: 'float64' });
    noGrad(() => {
      for (const parameter of cell.parameters())
        scope(() => parameter.copy_(eye(UNITS, { dtype: 'float64' })));
    });
    return cell;
  };
  const full = (value: number): Tensor => ones([1, UNITS], { dtype: 'float64' }).mul(value);

  it('uses the same mask for the inputs of a cell at every time step', () => {
    const cell = sum();
    scope(() => {
      // The weights of the hidden state are zero. The cell state multiplies the output: it is 1, then the last output.
      noGrad(() => cell.weight_h.zero_());
      const state: LanguageModelState = [full(0), full(1)];
      const { outputs } = cell.forward(ones([3, 1, UNITS], { dtype: 'float64' }), state, {
        ...NONE,
        dropoutCellInput: 0.5,
      });
      const [first, second, third] = outputs.unbind(0).map((step) => step.toNumbers());
      expect(new Set(first)).toEqual(new Set([0, 2]));
      // c = 2 for all units whose x was kept.
      expect(second).toEqual(first!.map((value) => 2 * value));
      expect(third).toEqual(second);
    });
    cell.free();
  });

  it('uses the same mask for the hidden states of a cell at every time step', () => {
    const cell = sum();
    scope(() => {
      noGrad(() => cell.weight_x.zero_());
      const inputs = ones([1, 1, UNITS], { dtype: 'float64' });
      const { outputs } = cell.forward(inputs, [full(1), full(1)], { ...NONE, dropoutHidden: 0.5 });
      const once = outputs.toNumbers();
      expect(new Set(once)).toEqual(new Set([0, 2]));
      // h1 = 2, c1 = 2; h2 = 4 c1 = 8, c2 = 4. A unit that is dropped once would stay 0.
      const twice = cell.forward(ones([2, 1, UNITS], { dtype: 'float64' }), [full(1), full(1)], {
        ...NONE,
        dropoutHidden: 0.5,
      });
      const [first, second] = twice.outputs.unbind(0).map((step) => step.toNumbers());
      expect(second).toEqual(first!.map((value) => 4 * value));
      expect(first).not.toEqual(once);
    });
    cell.free();
  });

  it('uses the same mask for all states within a DARTS cell, but not for the highway connections', () => {
    const recurrent = [['identity', 0]] as const;
    const cell = new DartsRecurrentCell({ recurrent, concat: [1] }, 1, UNITS);
    cell.to({ dtype: 'float64' });
    scope(() => {
      noGrad(() => {
        cell._W0.zero_();
        // The gate is always 1/2, and the value is the state itself.
        for (const parameter of cell._Ws.parameters()) {
          parameter.zero_();
          parameter.narrow(1, UNITS, UNITS).copy_(eye(UNITS, { dtype: 'float64' }));
        }
      });
      const inputs = ones([3, 1, 1], { dtype: 'float64' });
      const { outputs } = cell.forward(inputs, [full(1)], { ...NONE, dropoutHidden: 0.5 });
      const [first, second, third] = outputs.unbind(0).map((step) => step.toNumbers());
      // s0 = h/2, because its value is tanh(0); s1 = s0 + (m s0 - s0)/2 with m = 0 or 2.
      expect(new Set(first)).toEqual(new Set([0.25, 0.75]));
      expect(second).toEqual(first!.map((value) => value ** 2));
      expect(third).toEqual(first!.map((value) => value ** 3));
    });
    cell.free();
  });

  it('drops nothing in evaluation', () => {
    const cell = sum();
    cell.eval();
    scope(() => {
      const inputs = ones([1, 1, UNITS], { dtype: 'float64' });
      const rates = { ...NONE, dropoutCellInput: 0.5, dropoutHidden: 0.5 };
      const { outputs } = cell.forward(inputs, [full(1), full(1)], rates);
      expect(new Set(outputs.toNumbers())).toEqual(new Set([2]));
    });
    cell.free();
  });
});
