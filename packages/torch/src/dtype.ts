/** Element types of tensors and libtorch's numbers for them (`c10/core/ScalarType.h`). */
const codes = {
  uint8: 0,
  int8: 1,
  int16: 2,
  int32: 3,
  int64: 4,
  float16: 5,
  float32: 6,
  float64: 7,
  bool: 11,
  bfloat16: 15,
} as const;

export type Dtype = keyof typeof codes;

const names = new Map<number, Dtype>(Object.entries(codes).map(([name, code]) => [code, name as Dtype]));

export function dtypeCode(dtype: Dtype): number;
export function dtypeCode(dtype: Dtype | undefined): number | undefined;
export function dtypeCode(dtype: Dtype | undefined): number | undefined {
  if (dtype === undefined) return undefined;
  const code = codes[dtype];
  if (code === undefined)
    throw new TypeError(`dtype '${dtype}' is not one of ${Object.keys(codes).join(', ')}`);
  return code;
}

export function dtypeOf(code: number): Dtype {
  const name = names.get(code);
  if (name === undefined) throw new TypeError(`the element type ${code} of libtorch is not supported`);
  return name;
}

/** Orders of elements in memory (`c10/core/MemoryFormat.h`); images are fastest in channels_last. */
const memoryFormats = { contiguous: 0, preserve: 1, channels_last: 2 } as const;

export type MemoryFormat = keyof typeof memoryFormats;

export function memoryFormatCode(format: MemoryFormat): number;
export function memoryFormatCode(format: MemoryFormat | undefined): number | undefined;
export function memoryFormatCode(format: MemoryFormat | undefined): number | undefined {
  if (format === undefined) return undefined;
  const code = memoryFormats[format];
  if (code === undefined)
    throw new TypeError(`memory format '${format}' is not one of ${Object.keys(memoryFormats).join(', ')}`);
  return code;
}

/** Typed arrays that hold the elements of a tensor; float16 and bfloat16 elements appear as their 16 bits. */
export type TypedArray =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

export function typedArrayOf(dtype: Dtype, buffer: ArrayBuffer): TypedArray {
  switch (dtype) {
    case 'uint8':
    case 'bool':
      return new Uint8Array(buffer);
    case 'int8':
      return new Int8Array(buffer);
    case 'int16':
      return new Int16Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'int64':
      return new BigInt64Array(buffer);
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(buffer);
    case 'float32':
      return new Float32Array(buffer);
    case 'float64':
      return new Float64Array(buffer);
  }
}

/** The dtype that a typed array holds by default. @throws TypeError for a Uint16Array, which may hold two */
export function dtypeOfArray(data: TypedArray): Dtype {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof BigInt64Array) return 'int64';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof Int16Array) return 'int16';
  if (data instanceof Int8Array) return 'int8';
  if (data instanceof Uint8Array) return 'uint8';
  throw new TypeError('a Uint16Array holds float16 or bfloat16: name the dtype');
}
