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
 * A tensor of libtorch. The object only names native memory, which the garbage collector does not manage: the memory is freed when
 * the scope ends in which the tensor was made (`scope`), or by `free()`. Using the tensor afterwards is an error.
 *
 * The operators are methods, generated from libtorch's schemas (`operators.generated.ts`).
 */
export class Tensor {
  constructor(readonly handle: number) {}

  /** The sizes of the dimensions. */
  get shape(): readonly number[] {
    return native.shape(this.handle);
  }

  /** The distance between neighbours along each dimension, in elements. */
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

  /** The memory of the elements: a number that only this tensor and its views have, and its size in bytes. */
  get storage(): { readonly identity: number; readonly bytes: number } {
    const [identity, bytes] = native.storage(this.handle);
    return { identity, bytes };
  }

  /**
   * Gives the memory of the elements back, also that of all views. Shape, strides and dtype stay, and the elements read as
   * zeros. For those who only want to know which operators are called on which shapes: what is written into a hollow
   * tensor in place may show in other hollow tensors.
   *
   * @throws Error for a tensor that is not on the CPU
   */
  hollow(): void {
    native.hollow(this.handle);
  }

  /** A copy of the elements in row-major order, from any memory format and device. */
  toTypedArray(): TypedArray {
    return typedArrayOf(this.dtype, native.toBytes(this.handle));
  }

  /** A copy of the elements as numbers, in row-major order. int64 beyond 2^53 is rounded. */
  toNumbers(): number[] {
    if (this.dtype === 'float16' || this.dtype === 'bfloat16') {
      const converted = this.to({ dtype: 'float32' });
      const numbers = converted.toNumbers();
      converted.free();
      return numbers;
    }
    return Array.from(this.toTypedArray() as Iterable<number | bigint>, Number);
  }

  /** The element of a tensor that has one. */
  item(): number {
    return native.item(this.handle);
  }

  /** A copy with another dtype, device or memory format. Gradients flow through it. */
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

  /** Whether no recorded operator made this tensor. Backward adds to the gradients of leaves. */
  get isLeaf(): boolean {
    return native.isLeaf([this.handle]);
  }

  /** The gradient that `backward` has accumulated here, if any. */
  get grad(): Tensor | undefined {
    const [handle] = native.gradients([this.handle]);
    return handle === null || handle === undefined ? undefined : new Tensor(handle);
  }

  set grad(gradient: Tensor | undefined) {
    native.setGradients([this.handle], gradient === undefined ? null : [gradient.handle]);
  }

  /** Takes the tensor out of all scopes: it lives until `free()`. */
  keep(): this {
    native.keep(this.handle);
    return this;
  }

  /** Frees the memory, unless another tensor shares it. Any later use of this tensor is an error. */
  free(): void {
    native.free(this.handle);
  }

  /** Whether the tensor has not been freed. */
  get isLive(): boolean {
    return native.isLive(this.handle);
  }
}

/** Numbers in nested arrays, which give a tensor its elements and its shape. */
export type NestedNumbers = number | readonly NestedNumbers[];

/** Deeper nesting is a mistake, such as an array that contains itself. */
const mostDimensions = 64;

/**
 * A tensor from nested arrays: `tensor([[1, 2], [3, 4]])`, float32 unless another dtype is given.
 *
 * @throws TypeError where an element is not a number, or not an integer for int64, and where the arrays are not rectangular
 */
export function tensor(values: NestedNumbers, dtype: Dtype = 'float32'): Tensor {
  const shape: number[] = [];
  for (let level: unknown = values; isLevel(level); level = level[0]) {
    if (shape.push(level.length) > mostDimensions)
      throw new TypeError(`the arrays are nested too deeply; allowed: ${mostDimensions} dimensions`);
    if (level.length === 0) break;
  }
  const flat: number[] = [];
  const collect = (level: unknown, depth: number): void => {
    if (typeof level === 'number') {
      if (depth !== shape.length) throw new TypeError('the nested arrays are not rectangular');
      if (dtype === 'int64' && !Number.isInteger(level))
        throw new TypeError(`an element of an int64 tensor is ${level}; allowed: integers`);
      flat.push(level);
      return;
    }
    if (!isLevel(level))
      throw new TypeError(`an element is ${shown(level)}; allowed: numbers, in nested arrays`);
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

const isLevel = (value: unknown): value is ArrayLike<unknown> & Iterable<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

const shown = (value: unknown): string =>
  typeof value === 'string' ? `the string ${JSON.stringify(value)}` : `${typeof value} ${String(value)}`;

/**
 * A tensor with a copy of a typed array, in row-major order.
 *
 * @param shape its product is the number of elements
 * @param dtype for elements that the array's type does not determine (bool, float16, bfloat16)
 * @throws Error where the array does not have the bytes of the shape
 */
export function fromTypedArray(
  data: TypedArray,
  shape: readonly number[],
  dtype: Dtype = dtypeOfArray(data),
): Tensor {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return new Tensor(native.fromBytes(bytes, dtypeCode(dtype), shape));
}

/** The number of tensors of this thread. A leak shows in it. */
export function liveTensors(): number {
  return native.liveTensors();
}
