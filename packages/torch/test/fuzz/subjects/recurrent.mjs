import { fused, lstmCell, stack } from '../../../dist/index.js';
import { chance, dtype as drawDtype, integer, oneOf } from '../draws.mjs';
import { drawNorms, normalised, statesOf } from '../norms.mjs';
import { distinctInput, input } from '../tensors.mjs';

const units = (g) => integer(g, 1, oneOf(g, 6, 40));
const highway = (state, gate, to) => state.add(gate.sigmoid().mul(to.sub(state)));
const activations = (value) => [value.tanh(), value.relu(), value.sigmoid(), value];

/** The mixed operation of one edge. */
function mixed(state, product, weights) {
  const [gate, value] = product.chunk(2, 1);
  return activations(value)
    .map((activated, k) => highway(state, gate, activated).mul(weights.select(0, k)))
    .reduce((sum, term) => sum.add(term));
}

export const mixedHighway = {
  draw(g) {
    const dtype = drawDtype(g);
    const [edges, rows, own] = [integer(g, 1, 4), integer(g, 0, 6), units(g)];
    return {
      states: input(g, [edges, rows, own], { dtype }),
      products: input(g, [edges, rows, 2 * own], { dtype }),
      weights: input(g, [edges, 4], { dtype }),
    };
  },
  ours: ({ states, products, weights }) => [fused.mixedHighway(states, products, weights)],
  theirs: ({ states, products, weights }) => [
    states
      .unbind(0)
      .map((state, edge) => mixed(state, products.select(0, edge), weights.select(0, edge)))
      .reduce((sum, term) => sum.add(term)),
  ],
};

export const mixedRecurrence = {
  draw(g) {
    const dtype = drawDtype(g);
    // Batch norm of equal rows, or of two or three, leaves float32 no digits of the gradients after some steps.
    const [times, rows, own, nodes] = [integer(g, 1, 3), integer(g, 4, 8), units(g), integer(g, 1, 3)];
    const [norm] = drawNorms(g, 1, own, { dtype, isLearned: false, isTracked: true, training: true });
    return {
      read: distinctInput(g, [times, rows, 2 * own], { dtype }),
      initial: distinctInput(g, [rows, own], { dtype }),
      ...(chance(g, 50) ? { mask: input(g, [rows, own], { dtype, learned: false }) } : {}),
      weights: input(g, [(nodes * (nodes + 1)) / 2, 4], { dtype, values: 'positive' }),
      matrices: Array.from({ length: nodes + 1 }, () =>
        input(g, [own, 2 * own], { dtype, values: 'dyadic' }),
      ),
      norm,
    };
  },
  ours: ({ read, initial, ...rest }) => [fused.mixedRecurrence(read, initial, rest)],
  theirs({ read, initial, mask, weights, matrices, norm }) {
    const [ofFirst, ...ofNodes] = matrices;
    const product = (state, matrix) => (mask === undefined ? state : state.mul(mask)).mm(matrix);
    let before = initial;
    const outputs = read.unbind(0).map((given) => {
      const [gate, value] = product(before, ofFirst).add(given).chunk(2, 1);
      const states = [normalised(highway(before, gate, value.tanh()), norm)];
      let edge = 0;
      for (const matrix of ofNodes) {
        const sum = states
          .map((state) => mixed(state, product(state, matrix), weights.select(0, edge++)))
          .reduce((total, term) => total.add(term));
        states.push(normalised(sum, norm));
      }
      before = stack(states.slice(1)).mean(0);
      return before;
    });
    return [stack(outputs)];
  },
  states: ({ norm }) => statesOf([norm]),
};

export const recallingLstm = {
  draw(g) {
    const dtype = drawDtype(g);
    const [times, rows, own, layers] = [integer(g, 1, 4), integer(g, 1, 5), units(g), integer(g, 1, 2)];
    const cells = Array.from({ length: layers }, () => ({
      weight_ih: input(g, [4 * own, own], { dtype, values: 'dyadic' }),
      weight_hh: input(g, [4 * own, own], { dtype, values: 'dyadic' }),
      bias_ih: input(g, [4 * own], { dtype }),
      bias_hh: input(g, [4 * own], { dtype }),
    }));
    return {
      given: input(g, [times, rows, own], { dtype }),
      recalled: input(g, [times, rows, times], { dtype, values: oneOf(g, 'ties', 'normal'), learned: false }),
      cells,
    };
  },
  ours: ({ given, recalled, cells }) => [fused.recallingLstm(given, recalled, cells)],
  theirs({ given, recalled, cells }) {
    const [, rows, own] = given.shape;
    const states = cells.map(() => [given.newZeros([rows, own]), given.newZeros([rows, own])]);
    const outputs = [];
    for (const [time, read] of given.unbind(0).entries()) {
      const shares = recalled.select(0, time);
      let value = outputs.reduce(
        (sum, output, s) => sum.add(output.mul(shares.select(1, s).unsqueeze(1))),
        read,
      );
      for (const [layer, { weight_ih, weight_hh, bias_ih, bias_hh }] of cells.entries()) {
        states[layer] = lstmCell(value, states[layer], weight_ih, weight_hh, bias_ih, bias_hh);
        value = states[layer][0];
      }
      outputs.push(value);
    }
    return [stack(outputs)];
  },
};
