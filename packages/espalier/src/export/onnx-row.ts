import type { OnnxCall } from './onnx-call.js';
import type { Attribute } from './onnx-model.js';

/** Writes a call into its model. @returns the names of its results */
export type Row = (call: OnnxCall) => readonly string[];

export const int = (value: number): Attribute => ({ int: value });
export const float = (value: number): Attribute => ({ float: value });
export const ints = (values: readonly number[]): Attribute => ({ ints: values });
export const text = (value: string): Attribute => ({ text: value });

/** Beyond the end of any dimension. */
export const END = 2n ** 63n - 1n;

/** Integers as the inputs of operators want them. */
export const integers = (call: OnnxCall, values: readonly (number | bigint)[]): string =>
  call.model.constant(BigInt64Array.from(values, BigInt), [values.length]);

export const first = (results: readonly string[]): string => results[0] as string;
