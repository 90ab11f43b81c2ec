import { describe, expect, it } from 'vitest';
import {
  autocast,
  backward,
  enableGrad,
  grad,
  liveTensors,
  manualSeed,
  nn,
  noGrad,
  randn,
  recomputed,
  scope,
  type Tensor,
  tensor,
  zeros,
} from '../src/index.js';

const leaf = (values: number[]): Tensor => {
  const made = tensor(values, 'float64');
  made.requiresGrad = true;
  return made;
};
const asItIs: typeof recomputed = (inputs, body) => [...body(inputs)];

/** A chain with branches: two layers that read each other, the input and a parameter of their own. */
function network(run: typeof recomputed, x: Tensor, weights: readonly [Tensor, Tensor, Tensor]): Tensor {
  const start = x.mul(weights[2]);
  const [first, second] = run([start, x], ([a, b]) => [a!.mul(weights[0]).tanh(), b!.mul(a!)]) as [
    Tensor,
    Tensor,
  ];
  const between = first.add(second).mul(weights[2]);
  const [third] = run([between, first], ([a, b]) => [a!.mul(b!).sigmoid().mul(weights[1])]) as [Tensor];
  return third.mul(start).sum();
}

describe('what is recomputed', () => {
  it.each([1, 2, 3])('has the gradients of the same network to the bit (seed %i)', (seed) => {
    scope(() => {
      manualSeed(seed);
      const values = Array.from({ length: 4 }, () => randn([3], { dtype: 'float64' }).toNumbers());
      const gradients = (run: typeof recomputed) => {
        const [x, ...weights] = values.map(leaf) as [Tensor, Tensor, Tensor, Tensor];
        const leaves = [x, ...weights];
        const alone = grad(network(run, x, weights), leaves).map((gradient) => gradient.toNumbers());
        backward(network(run, x, weights));
        expect(leaves.map(({ grad }) => grad?.toNumbers())).toEqual(alone);
        return alone;
      };
      const close = gradients(asItIs).flat();
      for (const [place, value] of gradients(recomputed).flat().entries())
        expect(value).toBeCloseTo(close[place] as number, 14);
    });
  });

  it('runs again only where something depends on it', () => {
    scope(() => {
      const x = leaf([2]);
      let runs = 0;
      const twice = (factor: number) =>
        recomputed([x], ([a]) => {
          runs++;
          return [a!.mul(factor)];
        })[0] as Tensor;
      const [used, _unused] = [twice(3), twice(5)];
      expect(runs).toBe(2);
      backward(used.sum());
      expect([runs, x.grad?.toNumbers()]).toEqual([3, [3]]);
    });
  });

  it('adds up what several readers send back', () => {
    scope(() => {
      const x = leaf([2]);
      const [y] = recomputed([x], ([a]) => [a!.mul(a!)]) as [Tensor];
      const [z] = recomputed([y, y], ([a, b]) => [a!.mul(b!)]) as [Tensor];
      // x^4 + x^2
      expect(grad(z.add(y).sum(), [x, x]).map((gradient) => gradient.toNumbers())).toEqual([[36], [36]]);
    });
  });

  it('is differentiated twice only if the graph is retained', () => {
    scope(() => {
      const x = leaf([3]);
      const loss = (recomputed([x], ([a]) => [a!.mul(a!)])[0] as Tensor).sum();
      backward(loss, { retainGraph: true });
      backward(loss, { retainGraph: true });
      expect(x.grad?.toNumbers()).toEqual([12]);
    });
  });

  it('draws the same random numbers, and leaves the generator where it was', () => {
    scope(() => {
      const x = leaf([1, 1, 1, 1]);
      const dropped = new nn.Dropout(0.5);
      manualSeed(4);
      const [y] = recomputed([x], ([a]) => [dropped.forward(a!)]) as [Tensor];
      const mask = y.toNumbers();
      const next = () => noGrad(() => randn([1]).item());
      const expected = [next(), next()];
      manualSeed(4);
      const [again] = recomputed([x], ([a]) => [dropped.forward(a!)]) as [Tensor];
      const first = next();
      backward(again.sum());
      expect([first, next()]).toEqual(expected);
      expect(x.grad?.toNumbers()).toEqual(mask);
    });
  });

  it('changes running statistics once', () => {
    scope(() => {
      manualSeed(1);
      const images = randn([2, 3, 4, 4]);
      const statistics = (run: typeof recomputed) => {
        const norm = new nn.BatchNorm2d(3);
        const buffers = [...norm.namedBuffers()].map(([, buffer]) => buffer);
        const [out] = run([images], ([a]) => [norm.forward(a!)], { buffers }) as [Tensor];
        backward(out.square().sum());
        const found = buffers.map((buffer) => buffer.toNumbers());
        norm.free();
        return found;
      };
      expect(statistics(recomputed)).toEqual(statistics(asItIs));
    });
  });

  it('runs again in the autocast that it ran in', () => {
    scope(() => {
      manualSeed(2);
      const layer = new nn.Linear(8, 8);
      const x = randn([4, 8]);
      const dtypes: string[] = [];
      const [out] = autocast('bfloat16', () =>
        recomputed([x], ([a]) => {
          const made = layer.forward(a!);
          dtypes.push(made.dtype);
          return [made];
        }),
      ) as [Tensor];
      backward(out.to({ dtype: 'float32' }).sum());
      expect(dtypes).toEqual(['bfloat16', 'bfloat16']);
      layer.free();
    });
  });

  it('is the body alone where nothing is recorded', () => {
    scope(() => {
      const x = leaf([2]);
      const [y] = noGrad(() => recomputed([x], ([a]) => [a!.mul(2)])) as [Tensor];
      expect([y.requiresGrad, y.toNumbers()]).toEqual([false, [4]]);
    });
  });

  it('passes over inputs that need no gradient', () => {
    scope(() => {
      const [x, weight] = [tensor([2], 'float64'), leaf([3])];
      const [y] = recomputed([x], ([a]) => [a!.mul(weight)]) as [Tensor];
      backward(y.sum());
      expect([x.grad, weight.grad?.toNumbers()]).toEqual([undefined, [2]]);
    });
  });

  it('outlives an inner scope that freed what it read', () => {
    scope(() => {
      const x = leaf([2]);
      const y = scope(() => {
        const read = x.mul(3);
        return (recomputed([read], ([a]) => [a!.mul(a!)])[0] as Tensor).mul(1);
      });
      backward(y.sum());
      expect(x.grad?.toNumbers()).toEqual([36]);
    });
  });

  it('leaves no tensor behind, differentiated or not', () => {
    const x = leaf([2]);
    const pass = (differentiated: boolean) =>
      scope(() => {
        const [y] = recomputed([x.mul(2)], ([a]) => [a!.mul(a!)]) as [Tensor];
        if (differentiated) grad(y.sum(), [x]);
      });
    pass(true);
    const before = liveTensors();
    pass(true);
    pass(false);
    expect(liveTensors()).toBe(before);
    x.free();
  });

  it('says that it has no derivatives of second order, and which input has no influence', () => {
    scope(() => {
      const [x, other] = [leaf([2]), leaf([1])];
      const loss = (recomputed([x], ([a]) => [a!.mul(a!)])[0] as Tensor).sum();
      expect(() => grad(loss, [x], { createGraph: true })).toThrow(
        'grad: what runs in recomputed() has derivatives of first order only; createGraph is not allowed',
      );
      expect(() => grad(loss, [x, other], { retainGraph: true })).toThrow(
        'grad: the outputs do not depend on input 1; allowUnused accepts that',
      );
      expect(grad(loss, [x, other], { allowUnused: true }).map((one) => one?.toNumbers())).toEqual([
        [4],
        undefined,
      ]);
    });
  });

  it('leaves alive no tensor of its body but the results', () => {
    scope(() => {
      let alive = 0;
      const x = zeros([1], { dtype: 'float64' });
      x.requiresGrad = true;
      const before = liveTensors();
      const [y] = recomputed([x], ([a]) => {
        let value = a!;
        for (let k = 0; k < 50; k++) value = value.add(1);
        alive = liveTensors() - before;
        return [value];
      }) as [Tensor];
      expect(alive).toBeGreaterThan(50);
      expect(liveTensors() - before).toBeLessThan(5);
      expect(enableGrad(() => grad(y.sum(), [x]))[0]?.toNumbers()).toEqual([1]);
    });
  });
});
