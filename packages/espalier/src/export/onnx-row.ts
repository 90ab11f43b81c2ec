import type { OnnxCall } from './onnx-call.js';
import type { Attribute } from './onnx-model.js';

/** Writes a call as nodes of its model. @returns the names of its results */
export type Row = (call: OnnxCall) => readonly string[];

export const int = (value: number): Attribute => ({ int: value });
export const float = (value: number): Attribute => ({ float: value });
export const ints = (values: readonly number[]): Attribute => ({ ints: values });
export const text = (value: string): Attribute => ({ text: value });

/** Beyond the last index of any dimension, and before the first. */
export const END = 2n ** 63n - 1n;
export const BEGINNING = -(2n ** 63n);

/** Integers as an input of a node. */
export const integers = (call: OnnxCall, values: readonly (number | bigint)[]): string =>
  call.model.constant(BigInt64Array.from(values, BigInt), [values.length]);

/** One integer as an input of a node: a tensor without dimensions. */
export const integer = (call: OnnxCall, value: number): string =>
  call.model.constant(BigInt64Array.of(BigInt(value)), []);

export const first = (results: readonly string[]): string => results[0] as string;

/** Element types, as `onnx.proto` numbers them. */
const TYPES = { float32: 1, int64: 7, bool: 9 } as const;

/** The same values as another element type. */
export const cast = (call: OnnxCall, name: string, type: keyof typeof TYPES): string =>
  first(call.model.node('Cast', [name], { to: int(TYPES[type]) }));
