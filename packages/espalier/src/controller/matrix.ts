import type { Tensor } from '@espalier/torch';

/** A copy of the current values of a tensor, in float64. */
export function numbersOf(tensor: Tensor): Float64Array {
  return new Float64Array(tensor.toTypedArray() as Float32Array | Float64Array);
}

/** A copy of a matrix [rows, columns], for products so small that calling a libtorch operator would cost more. */
export class Matrix {
  readonly #columns: number;
  readonly #values: Float64Array;

  constructor(tensor: Tensor) {
    this.#columns = tensor.shape[1] as number;
    this.#values = numbersOf(tensor);
  }

  row(index: number): Float64Array {
    return this.#values.subarray(index * this.#columns, (index + 1) * this.#columns);
  }

  /** Adds the product of the matrix and a vector to `out`. */
  addProduct(vector: Float64Array, out: Float64Array): void {
    const values = this.#values;
    const columns = this.#columns;
    const rows = out.length;
    let row = 0;
    // Four rows at a time share each load of the vector, and their four sums are independent of each other.
    for (; row + 3 < rows; row += 4) {
      const first = row * columns;
      const second = first + columns;
      const third = second + columns;
      const fourth = third + columns;
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      for (let i = 0; i < columns; i++) {
        const value = vector[i] as number;
        a += (values[first + i] as number) * value;
        b += (values[second + i] as number) * value;
        c += (values[third + i] as number) * value;
        d += (values[fourth + i] as number) * value;
      }
      (out[row] as number) += a;
      (out[row + 1] as number) += b;
      (out[row + 2] as number) += c;
      (out[row + 3] as number) += d;
    }
    for (; row < rows; row++) {
      let sum = 0;
      for (let i = 0; i < columns; i++) sum += (values[row * columns + i] as number) * (vector[i] as number);
      (out[row] as number) += sum;
    }
  }

  times(vector: Float64Array): Float64Array {
    const out = new Float64Array(this.#values.length / this.#columns);
    this.addProduct(vector, out);
    return out;
  }
}
