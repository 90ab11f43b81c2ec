import { grad, noGrad, scope, type Tensor, tensor } from '@espalier/torch';
import { Random } from '../random/random.js';
import { largestEigenvalue, type Tridiagonal } from './tridiagonal.js';
import { withSameMasks } from './undisturbed.js';

/** Two passes each. A random Hessian of 224 alphas took 13 on average. */
const MOST_ITERATIONS = 30;
/** The eigenvalue has converged when it changes by less than this share in so many iterations in a row. */
const TOLERANCE = 1e-3;
const STILL = 3;
/** How far the alphas are moved to either side, along a direction of norm 1. */
const DISTANCE = 0.01;

/** All alphas as one vector. */
type Vector = readonly number[];

/**
 * The dominant eigenvalue of the Hessian of a loss with respect to the architecture parameters, at their present values:
 * the sharpness that grows before DARTS collapses (Zela et al. 2020, section 4). As in their code it is the largest
 * eigenvalue, and not the one of the largest magnitude. By the Lanczos iteration, orthogonalised against all vectors so
 * far; the products of Hessian and vector are central differences of gradients, where both passes have the same dropout
 * masks.
 *
 * @param loss of the same batch at every call
 * @param alphas are moved meanwhile and restored afterwards
 * @param seed of the vector that the iteration begins with
 */
export function dominantEigenvalue(loss: () => Tensor, alphas: readonly Tensor[], seed: number): number {
  const repeated = withSameMasks(loss, alphas[0]?.device ?? 'cpu');
  const before = scope(() => noGrad(() => alphas.map((alpha) => alpha.clone().keep())));
  const random = Random.of(seed, 'Lanczos iteration');
  const size = alphas.reduce((sum, alpha) => sum + alpha.size, 0);
  const basis: Vector[] = [normalised(Array.from({ length: size }, () => random.normal()))];
  const projected: { diagonal: number[]; offDiagonal: number[] } & Tridiagonal = {
    diagonal: [],
    offDiagonal: [],
  };
  let eigenvalue = Number.NaN;
  let still = 0;
  try {
    for (let iteration = 0; iteration < Math.min(size, MOST_ITERATIONS); iteration++) {
      const vector = basis[iteration] as Vector;
      const product = timesHessian(vector);
      projected.diagonal.push(dot(vector, product));
      const last = eigenvalue;
      eigenvalue = largestEigenvalue(projected);
      // Twice, since once leaves rounding errors that grow.
      const rest = orthogonal(orthogonal(product, basis), basis);
      const length = Math.sqrt(dot(rest, rest));
      still = Math.abs(eigenvalue - last) <= TOLERANCE * Math.abs(eigenvalue) ? still + 1 : 0;
      // The Krylov space is exhausted, down to the errors of the differences.
      const exhausted = length <= TOLERANCE * Math.abs(eigenvalue);
      if (still === STILL || exhausted || !Number.isFinite(length)) break;
      projected.offDiagonal.push(length);
      basis.push(rest.map((value) => value / length));
    }
  } finally {
    moveTo(undefined);
    for (const value of before) value.free();
  }
  return eigenvalue;

  function timesHessian(vector: Vector): Vector {
    const [above, below] = [gradientAt(vector, DISTANCE), gradientAt(vector, -DISTANCE)] as const;
    return above.map((value, i) => (value - (below[i] as number)) / (2 * DISTANCE));
  }

  function gradientAt(vector: Vector, distance: number): Vector {
    moveTo(vector.map((value) => distance * value));
    return scope(() =>
      grad(repeated(), alphas, { allowUnused: true }).flatMap(
        (gradient, place) =>
          gradient?.flatten().toNumbers() ?? new Array<number>((alphas[place] as Tensor).size).fill(0),
      ),
    );
  }

  /** Moves the alphas from where they were; back there without an offset. */
  function moveTo(offset: Vector | undefined): void {
    let from = 0;
    scope(() =>
      noGrad(() => {
        for (const [place, alpha] of alphas.entries()) {
          alpha.copy_(before[place] as Tensor);
          if (offset === undefined) continue;
          const own = tensor(offset.slice(from, from + alpha.size), alpha.dtype).reshape([...alpha.shape]);
          alpha.add_(own.to({ device: alpha.device }));
          from += alpha.size;
        }
      }),
    );
  }
}

function dot(a: Vector, b: Vector): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}

function normalised(vector: Vector): Vector {
  const norm = Math.sqrt(dot(vector, vector));
  return vector.map((value) => value / norm);
}

/** What is left of a vector without its parts along the vectors of an orthonormal basis. */
function orthogonal(vector: Vector, basis: readonly Vector[]): Vector {
  return basis.reduce((rest, direction) => {
    const part = dot(rest, direction);
    return rest.map((value, i) => value - part * (direction[i] as number));
  }, vector);
}
