/** A symmetric tridiagonal matrix: n values on the diagonal, n - 1 beside it. */
export interface Tridiagonal {
  readonly diagonal: readonly number[];
  readonly offDiagonal: readonly number[];
}

/** Halvings of the interval: to the last bit of a double. */
const BISECTIONS = 64;

/** The largest eigenvalue, by bisection (Barth, Martin & Wilkinson 1967). */
export function largestEigenvalue(matrix: Tridiagonal): number {
  const { diagonal, offDiagonal } = matrix;
  // The circles of Gershgorin contain all eigenvalues.
  const radii = diagonal.map((_, i) => Math.abs(offDiagonal[i - 1] ?? 0) + Math.abs(offDiagonal[i] ?? 0));
  let low = Math.max(...diagonal);
  let high = Math.max(...diagonal.map((value, i) => value + (radii[i] as number)));
  for (let step = 0; step < BISECTIONS; step++) {
    const middle = (low + high) / 2;
    if (hasLarger(matrix, middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Whether an eigenvalue is larger than x: whether a pivot of the elimination of matrix - x I is positive. */
function hasLarger({ diagonal, offDiagonal }: Tridiagonal, x: number): boolean {
  let pivot = 1;
  for (const [i, value] of diagonal.entries()) {
    const beside = offDiagonal[i - 1] ?? 0;
    pivot = value - x - (beside * beside) / (pivot || -Number.MIN_VALUE);
    if (pivot > 0) return true;
  }
  return false;
}
