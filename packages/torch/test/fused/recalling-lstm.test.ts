import { describe, expect, it } from 'vitest';
import {
  fused,
  grad,
  manualSeed,
  nn,
  rand,
  randn,
  scope,
  stack,
  type Tensor,
  zeros,
} from '../../src/index.js';
import { worst } from './comparison.js';

/** The same by libtorch's cells, step by step. */
function composed(given: Tensor, recalled: Tensor, cells: readonly nn.LSTMCell[]): Tensor {
  const [, rows, units] = given.shape as [number, number, number];
  const states = cells.map(
    () => [given.newZeros([rows, units]), given.newZeros([rows, units])] as nn.LstmState,
  );
  const outputs: Tensor[] = [];
  for (const [time, own] of given.unbind(0).entries()) {
    const shares = recalled.select(0, time);
    let value = outputs.reduce(
      (sum, output, s) => sum.add(output.mul(shares.select(1, s).unsqueeze(1))),
      own,
    );
    for (const [layer, cell] of cells.entries()) {
      states[layer] = cell.forward(value, states[layer]!);
      value = states[layer][0];
    }
    outputs.push(value);
  }
  return stack(outputs);
}

describe('an LSTM that recalls', () => {
  it.each([
    ['float64', 1e-9, { times: 5, rows: 3, units: 7, layers: 2 }],
    ['float64', 1e-9, { times: 4, rows: 9, units: 37, layers: 3 }],
    ['float64', 1e-9, { times: 1, rows: 1, units: 4, layers: 1 }],
    ['float32', 1e-5, { times: 12, rows: 8, units: 35, layers: 2 }],
    ['float32', 1e-5, { times: 6, rows: 1, units: 16, layers: 1 }],
  ] as const)(
    'has the values and gradients of libtorch in %s (%d, %o)',
    (dtype, tolerance, { times, rows, units, layers }) => {
      scope(() => {
        manualSeed(3);
        const cells = Array.from({ length: layers }, () => new nn.LSTMCell(units, units).to({ dtype }));
        const given = randn([times, rows, units], { dtype });
        given.requiresGrad = true;
        // Two of three earlier steps are not recalled. The diagonal and what is above it are not read.
        const recalled = rand([times, rows, times], { dtype }).sub(0.66).relu();
        const ours = fused.recallingLstm(given, recalled, cells);
        const theirs = composed(given, recalled, cells);
        expect(worst(ours.toNumbers(), theirs.toNumbers())).toBeLessThan(tolerance);
        const inputs = [given, ...cells.flatMap((cell) => cell.parameters())];
        const gradients = [randn(theirs.shape, { dtype })];
        const expected = grad(theirs, inputs, { gradients });
        for (const [place, gradient] of grad(ours, inputs, { gradients }).entries())
          expect(worst(gradient.toNumbers(), expected[place]!.toNumbers()), `gradient ${place}`).toBeLessThan(
            10 * tolerance,
          );
      });
    },
  );

  it('names arguments that do not fit', () => {
    scope(() => {
      const cells = [new nn.LSTMCell(4, 4)];
      const run = (given: readonly number[], recalled: readonly number[]) => () =>
        fused.recallingLstm(zeros(given), zeros(recalled), cells);
      expect(run([2, 3], [2, 3, 2])).toThrow(
        "argument 'given' is Float[2, 3]; allowed: float32 or float64 [T, B, H] on the CPU",
      );
      expect(run([2, 3, 4], [2, 3, 3])).toThrow(
        "argument 'recalled' is Float[2, 3, 3]; allowed: Float[2, 3, 2] on the CPU",
      );
      expect(run([2, 3, 5], [2, 3, 2])).toThrow(
        "argument 'weights[0]' is Float[16, 4]; allowed: Float[20, 5] on the CPU",
      );
      expect(() => fused.recallingLstm(zeros([2, 3, 4]), zeros([2, 3, 2]), [])).toThrow(
        'there are 0 weights',
      );
    });
  });
});
