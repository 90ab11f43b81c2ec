import { grad, noGrad, scope, type Tensor, tensor } from '@espalier/torch';
import { Random } from '../random/random.js';

const MOST_ITERATIONS = 30;
const TOLERANCE = 1e-3;
/** How far the alphas are moved to both sides, times the norm of the direction, which is 1. */
const DISTANCE = 0.01;

/**
 * The dominant eigenvalue (the one of the largest magnitude) of the Hessian of a loss with respect to the architecture
 * parameters, where these are now: the sharpness whose growth goes before the collapse of DARTS (Zela et al. 2020,
 * section 4). By power iteration, with the products of Hessian and vector as differences of gradients to both sides.
 *
 * @param loss of the same batch at every call
 * @param alphas are moved meanwhile, and are as before afterwards
 * @param seed of the vector that the iteration begins with
 */
export function dominantEigenvalue(loss: () => Tensor, alphas: readonly Tensor[], seed: number): number {
  const before = scope(() => noGrad(() => alphas.map((alpha) => alpha.clone().keep())));
  const random = Random.of(seed, 'power iteration');
  let vector = normalised(alphas.map(({ size }) => Array.from({ length: size }, () => random.normal())));
  let eigenvalue = Number.NaN;
  try {
    for (let iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
      const above = gradientAt(DISTANCE);
      const below = gradientAt(-DISTANCE);
      const product = above.map((part, i) =>
        part.map((value, j) => (value - (below[i] as number[])[j]!) / (2 * DISTANCE)),
      );
      const last = eigenvalue;
      // The Rayleigh quotient of a unit vector.
      eigenvalue = dot(vector, product);
      if (Math.abs(eigenvalue - last) <= TOLERANCE * Math.abs(eigenvalue) || dot(product, product) === 0)
        break;
      vector = normalised(product);
    }
  } finally {
    moveTo(0);
    for (const value of before) value.free();
  }
  return eigenvalue;

  function moveTo(distance: number): void {
    scope(() =>
      noGrad(() => {
        for (const [i, alpha] of alphas.entries()) {
          alpha.copy_(before[i] as Tensor);
          if (distance === 0) continue;
          const direction = tensor(vector[i] as number[], alpha.dtype).reshape([...alpha.shape]);
          alpha.add_(direction.to({ device: alpha.device }), { alpha: distance });
        }
      }),
    );
  }

  function gradientAt(distance: number): number[][] {
    moveTo(distance);
    return scope(() => grad(loss(), alphas).map((gradient) => gradient.flatten().toNumbers()));
  }
}

function dot(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number {
  return a.reduce(
    (sum, part, i) => sum + part.reduce((own, value, j) => own + value * (b[i] as readonly number[])[j]!, 0),
    0,
  );
}

function normalised(vector: readonly (readonly number[])[]): number[][] {
  const norm = Math.sqrt(dot(vector, vector));
  return vector.map((part) => part.map((value) => value / norm));
}
