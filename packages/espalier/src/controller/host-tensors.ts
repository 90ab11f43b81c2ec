import { fromTypedArray, type Tensor } from '@espalier/torch';
import type { HostTensor } from '../host-tensor.js';
import { InputError } from '../input-error.js';

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
} as const;

/** Copies tensors to memory outside libtorch, and prefixes their names. */
export function toHost(tensors: ReadonlyMap<string, Tensor>, prefix: string): [string, HostTensor][] {
  return [...tensors].map(([name, tensor]) => {
    const { dtype, shape } = tensor;
    if (!(dtype in arrays)) throw new TypeError(`a snapshot cannot hold ${dtype} tensors`);
    const { buffer } = tensor.toTypedArray();
    return [
      prefix + name,
      { dtype: dtype as HostTensor['dtype'], shape, data: new Uint8Array(buffer as ArrayBuffer) },
    ];
  });
}

/**
 * Reads the tensors whose names start with a prefix, and removes the prefix from their names.
 *
 * @throws InputError if the number of bytes does not match the shape
 */
export function fromHost(snapshot: ReadonlyMap<string, HostTensor>, prefix: string): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, shape, data }] of snapshot) {
    if (!name.startsWith(prefix)) continue;
    try {
      // Copy the bytes, so that they are aligned for the element type.
      tensors.set(name.slice(prefix.length), fromTypedArray(new arrays[dtype](data.slice().buffer), shape));
    } catch (error) {
      throw new InputError(`invalid tensor ${name} in the snapshot: ${(error as Error).message}`);
    }
  }
  return tensors;
}
