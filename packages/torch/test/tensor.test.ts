import { describe, expect, it } from 'vitest';
import {
  type Dtype,
  fromTypedArray,
  type NestedNumbers,
  ones,
  type Tensor,
  type TypedArray,
  tensor,
} from '../src/index.js';

describe('a tensor from numbers', () => {
  it('has the shape of the nested arrays', () => {
    expect(tensor(3).shape).toEqual([]);
    expect(tensor([]).shape).toEqual([0]);
    expect(tensor([[], []]).shape).toEqual([2, 0]);
    const nested = tensor([
      [[1], [2], [3]],
      [[4], [5], [6]],
    ]);
    expect(nested.shape).toEqual([2, 3, 1]);
    expect(nested.toNumbers()).toEqual([1, 2, 3, 4, 5, 6]);
    expect([nested.size, nested.dtype, nested.device]).toEqual([6, 'float32', 'cpu']);
  });

  it('must be rectangular', () => {
    for (const ragged of [
      [[1, 2], [3]],
      [1, [2]],
      [[1], 2],
      [[[1]], [2]],
    ] as NestedNumbers[])
      expect(() => tensor(ragged)).toThrow(new TypeError('the nested arrays are not rectangular'));
  });

  it.each<[unknown, string]>([
    [['x'], 'an element is the string "x"; allowed: numbers, in nested arrays'],
    [[[1], ['']], 'an element is the string ""'],
    ['x', 'an element is the string "x"'],
    [[null], 'an element is object null'],
    [[1, undefined], 'an element is undefined undefined'],
    [[true], 'an element is boolean true'],
    [[1n], 'an element is bigint 1'],
    [{ length: 1 }, 'an element is object [object Object]'],
  ])('accepts numbers only: %s', (values, message) => {
    expect(() => tensor(values as NestedNumbers)).toThrow(TypeError);
    expect(() => tensor(values as NestedNumbers)).toThrow(message);
  });

  it('refuses an array that contains itself', () => {
    const circle: unknown[] = [];
    circle.push(circle);
    expect(() => tensor(circle as unknown as NestedNumbers)).toThrow(
      new TypeError('the arrays are nested too deeply; allowed: 64 dimensions'),
    );
  });

  it('accepts only integers for int64', () => {
    for (const value of [0.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => tensor([1, value], 'int64')).toThrow(
        new TypeError(`an element of an int64 tensor is ${value}; allowed: integers`),
      );
  });

  it.each<[Dtype, number[]]>([
    ['uint8', [0, 255]],
    ['int8', [-128, 127]],
    ['int16', [-32768, 32767]],
    ['int32', [-(2 ** 31), 2 ** 31 - 1, 2 ** 24 + 1]],
    ['int64', [-(2 ** 53) + 1, 2 ** 53 - 1]],
    ['float16', [0.5, -65504, 2 ** -24]],
    ['bfloat16', [1.5, -(2 ** 120)]],
    ['float32', [Math.fround(0.1), Infinity, -(2 ** -149)]],
    ['float64', [0.1, -1e300, NaN]],
    ['bool', [0, 1]],
  ])('holds what %s can hold, exactly', (dtype, values) => {
    const made = tensor(values, dtype);
    expect(made.dtype).toBe(dtype);
    expect(made.toNumbers()).toEqual(values);
    expect((made.select(0, 0) as Tensor).item()).toBe(values[0]);
  });
});

describe('a tensor from a typed array', () => {
  it.each<[TypedArray, Dtype]>([
    [Uint8Array.of(1, 255), 'uint8'],
    [Int8Array.of(1, -1), 'int8'],
    [Int16Array.of(1, -300), 'int16'],
    [Int32Array.of(1, -70000), 'int32'],
    [BigInt64Array.of(1n, -(2n ** 60n)), 'int64'],
    [Float32Array.of(0.1, NaN), 'float32'],
    [Float64Array.of(0.1, -0), 'float64'],
  ])('copies the elements out and in: %o', (data, dtype) => {
    const made = fromTypedArray(data, [2, 1]);
    expect([made.dtype, made.shape]).toEqual([dtype, [2, 1]]);
    const copy = made.toTypedArray();
    expect(copy).toEqual(data);
    expect(copy.constructor).toBe(data.constructor);
    data.reverse();
    expect(made.toTypedArray()).toEqual(copy);
  });

  it('takes float16 and bfloat16 as 16 bits', () => {
    const bits = Uint16Array.of(0x3c00, 0xc000); // 1, -2 in float16
    expect(fromTypedArray(bits, [2], 'float16').toNumbers()).toEqual([1, -2]);
    expect(fromTypedArray(bits, [2], 'float16').toTypedArray()).toEqual(bits);
    expect(fromTypedArray(Uint16Array.of(0x3f80), [1], 'bfloat16').toNumbers()).toEqual([1]);
    expect(() => fromTypedArray(bits, [2])).toThrow(
      'a Uint16Array holds float16 or bfloat16: name the dtype',
    );
  });

  it("reads only the array's part of its buffer", () => {
    expect(fromTypedArray(Float32Array.of(1, 2, 3, 4).subarray(1, 3), [2]).toNumbers()).toEqual([2, 3]);
  });

  it('must have as many elements as the shape', () => {
    expect(() => fromTypedArray(Float32Array.of(1, 2, 3), [2, 2])).toThrow(
      'a Float tensor of shape [2, 2] has 16 bytes, but 12 were given',
    );
    expect(() => fromTypedArray(Float32Array.of(1), [-1])).toThrow('negative dimension');
  });
});

describe('memory format', () => {
  it('channels_last has another order in memory, and reads in the same order', () => {
    const values = Float32Array.from({ length: 24 }, (_, index) => index);
    const image = fromTypedArray(values, [1, 2, 3, 4]);
    const last = image.to({ memoryFormat: 'channels_last' });
    expect([image.strides, last.strides]).toEqual([
      [24, 12, 4, 1],
      [24, 1, 8, 2],
    ]);
    expect([image.isContiguous(), image.isContiguous('channels_last')]).toEqual([true, false]);
    expect([last.isContiguous(), last.isContiguous('channels_last')]).toEqual([false, true]);
    expect(last.toTypedArray()).toEqual(values);
    expect(last.to({ dtype: 'float64' }).strides).toEqual([24, 1, 8, 2]); // kept where no other is asked for
    expect(last.to({ memoryFormat: 'contiguous' }).strides).toEqual([24, 12, 4, 1]);
  });

  it('views read in the order of their shape', () => {
    const matrix = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(matrix.t().toNumbers()).toEqual([1, 4, 2, 5, 3, 6]);
    expect(matrix.slice(1, 1).toNumbers()).toEqual([2, 3, 5, 6]);
    expect(ones([1, 2]).expand([2, 2]).toNumbers()).toEqual([1, 1, 1, 1]);
  });
});
