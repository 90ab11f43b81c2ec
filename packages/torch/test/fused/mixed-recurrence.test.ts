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
import { onOneAndTwoThreads } from './on-threads.js';

/** The same by libtorch's operators, edge by edge as in the paper. */
function composed(
  read: Tensor,
  initial: Tensor,
  { matrices, weights, mask, norm }: fused.MixedRecurrence & { readonly norm: nn.BatchNorm1d },
): Tensor {
  const [ofFirst, ...ofNodes] = matrices as [Tensor, ...Tensor[]];
  const product = (state: Tensor, matrix: Tensor) =>
    (mask === undefined ? state : state.mul(mask)).mm(matrix);
  const highway = (state: Tensor, gate: Tensor, to: Tensor) => state.add(gate.sigmoid().mul(to.sub(state)));
  let before = initial;
  const outputs = read.unbind(0).map((given) => {
    const [gate, value] = product(before, ofFirst).add(given).chunk(2, 1) as [Tensor, Tensor];
    const states = [norm.forward(highway(before, gate, value.tanh()))];
    let edge = 0;
    for (const matrix of ofNodes) {
      const candidates = states.flatMap((state) => {
        const [ofGate, of] = product(state, matrix).chunk(2, 1) as [Tensor, Tensor];
        const own = weights.select(0, edge++);
        return [of.tanh(), of.relu(), of.sigmoid(), of].map((activated, k) =>
          highway(state, ofGate, activated).mul(own.select(0, k)),
        );
      });
      states.push(norm.forward(candidates.reduce((sum, candidate) => sum.add(candidate))));
    }
    before = stack(states.slice(1)).mean(0);
    return before;
  });
  return stack(outputs);
}

interface Sizes {
  readonly times: number;
  readonly texts: number;
  readonly units: number;
  readonly nodes: number;
}

function given({ times, texts, units, nodes }: Sizes, dtype: 'float32' | 'float64', masked: boolean) {
  const edges = (nodes * (nodes + 1)) / 2;
  const values = {
    read: randn([times, texts, 2 * units], { dtype }),
    initial: randn([texts, units], { dtype }),
    weights: rand([edges, 4], { dtype }),
    matrices: Array.from({ length: nodes + 1 }, () => randn([units, 2 * units], { dtype }).mul(0.4)),
    mask: masked ? rand([texts, units], { dtype }) : undefined,
  };
  const inputs = [values.read, values.initial, values.weights, ...values.matrices];
  for (const input of inputs) input.requiresGrad = true;
  return { ...values, inputs };
}

function normOf(units: number, dtype: 'float32' | 'float64'): nn.BatchNorm1d {
  const norm = new nn.BatchNorm1d(units, { affine: false });
  norm.to({ dtype });
  return norm;
}

onOneAndTwoThreads(() => {
  describe('a mixed recurrence', () => {
    it.each([
      ['float64', 1e-9, { times: 3, texts: 5, units: 7, nodes: 3 }, true],
      ['float64', 1e-9, { times: 2, texts: 4, units: 37, nodes: 2 }, false],
      ['float64', 1e-9, { times: 1, texts: 19, units: 16, nodes: 1 }, true],
      ['float32', 1e-4, { times: 2, texts: 150, units: 25, nodes: 2 }, true],
      ['float32', 1e-4, { times: 2, texts: 9, units: 40, nodes: 3 }, false],
    ] as const)(
      'has the values, gradients and running statistics of libtorch in %s (%d, %o, masked: %s)',
      (dtype, tolerance, sizes, masked) => {
        scope(() => {
          manualSeed(8);
          const { read, initial, inputs, ...rest } = given(sizes, dtype, masked);
          const norms = [normOf(sizes.units, dtype), normOf(sizes.units, dtype)] as const;
          const ours = fused.mixedRecurrence(read, initial, { ...rest, norm: norms[0] });
          const theirs = composed(read, initial, { ...rest, norm: norms[1] });
          expect(worst(ours.toNumbers(), theirs.toNumbers())).toBeLessThan(tolerance);
          for (const [name, buffer] of norms[0].stateDict())
            expect(worst(buffer.toNumbers(), norms[1].stateDict().get(name)!.toNumbers()), name).toBeLessThan(
              tolerance,
            );
          const gradients = [randn(theirs.shape, { dtype })];
          const expected = grad(theirs, inputs, { gradients });
          for (const [place, gradient] of grad(ours, inputs, { gradients }).entries())
            expect(
              worst(gradient.toNumbers(), expected[place]!.toNumbers()),
              `gradient ${place}`,
            ).toBeLessThan(10 * tolerance);
        });
      },
    );

    it('gives each gradient the same values, whether it is asked for alone or with others', () => {
      scope(() => {
        manualSeed(9);
        const { read, initial, inputs, ...rest } = given(
          { times: 2, texts: 4, units: 5, nodes: 2 },
          'float64',
          true,
        );
        const run = () =>
          fused
            .mixedRecurrence(read, initial, { ...rest, norm: normOf(5, 'float64') })
            .square()
            .sum();
        const all = grad(run(), inputs);
        for (const [place, input] of inputs.entries()) {
          const [alone] = grad(run(), [input]);
          expect(alone!.toNumbers(), `gradient ${place}`).toEqual(all[place]!.toNumbers());
        }
      });
    });

    it('names arguments that do not fit', () => {
      scope(() => {
        const norm = new nn.BatchNorm1d(4, { affine: false });
        const run = (texts: number, edges: number) => () =>
          fused.mixedRecurrence(zeros([2, texts, 8]), zeros([texts, 4]), {
            matrices: [zeros([4, 8]), zeros([4, 8])],
            weights: zeros([edges, 4]),
            mask: undefined,
            norm,
          });
        expect(run(1, 1)).toThrow('no variance');
        expect(run(2, 3)).toThrow(
          "espalier::mixed_recurrence: argument 'weights' is Float[3, 4]; allowed: Float[1, 4] on the CPU",
        );
      });
    });
  });
});
