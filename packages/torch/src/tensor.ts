import { invoke, Operator } from './dispatcher.js';
import {
  type Dtype,
  dtypeCode,
  dtypeOf,
  dtypeOfArray,
  type MemoryFormat,
  memoryFormatCode,
  type TypedArray,
  typedArrayOf,
} from './dtype.js';
import { native } from './native.js';

const toCopy = new Operator('aten::_to_copy', '');

/**
 * A tensor of libtorch. The object is a name for native memory that the garbage collector does not manage: it is
 * freed when the scope it was made in ends (`scope`), or by `free()`; using it afterwards is an error.
 *
 * The operators are methods, made from libtorch's schemas (`operators.generated.ts`).
 */
export class Tensor {
  constructor(readonly handle: number) {}

  /** Sizes of the dimensions. */
  get shape(): readonly number[] {
    return native.shape(this.handle);
  }

  /** Steps between neighbours along each dimension, in elements. */
  get strides(): readonly number[] {
    return native.strides(this.handle);
  }

  get dtype(): Dtype {
    return dtypeOf(native.dtype(this.handle));
  }

  /** `cpu`, `cuda:0` */
  get device(): string {
    return native.device(this.handle);
  }

  /** The number of elements. */
  get size(): number {
    return this.shape.reduce((product, length) => product * length, 1);
  }

  isContiguous(format: MemoryFormat = 'contiguous'): boolean {
    return native.isContiguous(this.handle, memoryFormatCode(format));
  }

  /** The memory that the elements lie in: where it begins, the same for a view and its base, and its size in bytes. */
  get storage(): { readonly begin: number; readonly bytes: number } {
    const [begin, bytes] = native.storage(this.handle);
    return { begin, bytes };
  }

  /** A copy of the elements in row-major order (whatever the memory format), from any device. */
  toTypedArray(): TypedArray {
    return typedArrayOf(this.dtype, native.toBytes(this.handle));
  }

  /** A copy of the elements as numbers, in row-major order; int64 beyond 2^53 is rounded. */
  toNumbers(): number[] {
    if (this.dtype === 'float16' || this.dtype === 'bfloat16') {
      const converted = this.to({ dtype: 'float32' });
      const numbers = converted.toNumbers();
      converted.free();
      return numbers;
    }
    return Array.from(this.toTypedArray() as Iterable<number | bigint>, Number);
  }

  /** The value of a tensor with one element. */
  item(): number {
    return native.item(this.handle);
  }

  /** A copy with another dtype, device or memory format; gradients flow through it. */
  to(target: { dtype?: Dtype; device?: string; memoryFormat?: MemoryFormat }): Tensor {
    return new Tensor(
      invoke(
        toCopy,
        this.handle,
        dtypeCode(target.dtype),
        undefined,
        target.device,
        undefined,
        undefined,
        memoryFormatCode(target.memoryFormat),
      ) as number,
    );
  }

  get requiresGrad(): boolean {
    return native.requiresGrad([this.handle]);
  }

  set requiresGrad(required: boolean) {
    native.setRequiresGrad([this.handle], required);
  }

  /** Whether no recorded operator made this tensor: backward adds to the gradients of leaves. */
  get isLeaf(): boolean {
    return native.isLeaf([this.handle]);
  }

  /** The gradient that `backward` has added up here, if any. */
  get grad(): Tensor | undefined {
    const [handle] = native.gradients([this.handle]);
    return handle === null || handle === undefined ? undefined : new Tensor(handle);
  }

  set grad(gradient: Tensor | undefined) {
    native.setGradients([this.handle], gradient === undefined ? null : [gradient.handle]);
  }

  /** Takes the tensor out of its scope: it lives until `free()`. */
  keep(): this {
    native.keep(this.handle);
    return this;
  }

  /** Frees the memory (unless another tensor shares it); any later use is an error. */
  free(): void {
    native.free(this.handle);
  }

  /** Whether the tensor was not freed yet. */
  get isLive(): boolean {
    return native.isLive(this.handle);
  }
}

/** How nested arrays of numbers give a tensor its shape and its elements. */
export type NestedNumbers = number | readonly NestedNumbers[];

/**
 * A tensor from nested arrays (`tensor([[1, 2], [3, 4]])`, float32 unless said otherwise).
 *
 * @throws TypeError where the arrays are not rectangular
 */
export function tensor(values: NestedNumbers, dtype: Dtype = 'float32'): Tensor {
  const shape: number[] = [];
  for (let level = values; typeof level !== 'number'; level = level[0] as NestedNumbers) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  const flat: number[] = [];
  const collect = (level: NestedNumbers, depth: number): void => {
    if (typeof level === 'number') {
      if (depth !== shape.length) throw new TypeError('the nested arrays are not rectangular');
      flat.push(level);
      return;
    }
    if (level.length !== shape[depth]) throw new TypeError('the nested arrays are not rectangular');
    for (const inner of level) collect(inner, depth + 1);
  };
  collect(values, 0);
  const storage: TypedArray =
    dtype === 'int64'
      ? BigInt64Array.from(flat, BigInt)
      : dtype === 'float32'
        ? Float32Array.from(flat)
        : Float64Array.from(flat);
  const made = fromTypedArray(storage, shape);
  if (made.dtype === dtype) return made;
  const converted = made.to({ dtype });
  made.free();
  return converted;
}

/**
 * A tensor that holds a copy of a typed array, in row-major order.
 *
 * @param shape sizes; their product is the number of elements
 * @param dtype what the elements are, where the array's type does not say it (bool, float16, bfloat16)
 */
export function fromTypedArray(
  data: TypedArray,
  shape: readonly number[],
  dtype: Dtype = dtypeOfArray(data),
): Tensor {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return new Tensor(native.fromBytes(bytes, dtypeCode(dtype), shape));
}

/** How many tensors this thread holds: what a leak looks like. */
export function liveTensors(): number {
  return native.liveTensors();
}
