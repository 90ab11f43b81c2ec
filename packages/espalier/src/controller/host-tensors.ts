import { fromTypedArray, type Tensor } from '@espalier/torch';
import type { HostTensor } from '../host-tensor.js';
import { InputError } from '../input-error.js';

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
} as const;

/** Copies of tensors outside libtorch, under their names with a prefix. */
export function toHost(tensors: ReadonlyMap<string, Tensor>, prefix: string): [string, HostTensor][] {
  return [...tensors].map(([name, tensor]) => {
    const { dtype, shape } = tensor;
    if (!(dtype in arrays)) throw new TypeError(`a snapshot holds no ${dtype} tensors`);
    const { buffer } = tensor.toTypedArray();
    return [
      prefix + name,
      { dtype: dtype as HostTensor['dtype'], shape, data: new Uint8Array(buffer as ArrayBuffer) },
    ];
  });
}

/** The tensors of a prefix, their names without it. @throws InputError where the bytes do not fit a shape */
export function fromHost(snapshot: ReadonlyMap<string, HostTensor>, prefix: string): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, shape, data }] of snapshot) {
    if (!name.startsWith(prefix)) continue;
    try {
      // A copy: its bytes begin where the elements' alignment allows it.
      tensors.set(name.slice(prefix.length), fromTypedArray(new arrays[dtype](data.slice().buffer), shape));
    } catch (error) {
      throw new InputError(`the snapshot's tensor ${name}: ${(error as Error).message}`);
    }
  }
  return tensors;
}
