import type { BatchedTrace, Shape } from './exported-trace.js';
import type { NetworkText } from './pytorch-classes.js';

/** What an exported Python program says and does around the network. */
interface NetworkProgram extends NetworkText {
  /** Lines that use the loaded network. */
  readonly usage: readonly string[];
  /** Lines that run it on zeros and print the shape of the result. */
  readonly example: readonly string[];
}

/** Writes it for a network, from what the network does. */
export type ProgramText = (trace: BatchedTrace) => NetworkProgram;

/** `[N, 3, 32, 32]` */
export const dimensions = (shape: Shape): string => `[${shape.map((size) => size ?? 'N').join(', ')}]`;

/** The shape of an output. */
export function shapeOf(trace: BatchedTrace, output: string): Shape {
  const tensor = trace.outputs.get(output);
  return tensor?.from === 'call' ? (trace.calls[tensor.call]?.shapes[tensor.result] as Shape) : [];
}
