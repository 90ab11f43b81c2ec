import { native } from './native.js';

/** An operator that the program called, or a node of the graph that a backward pass visited. */
export interface ProfiledCall {
  /** Such as `aten::conv2d` or `ConvolutionBackward0`. */
  readonly name: string;
  /**
   * Links a node of the backward pass to the operator that made it. libtorch numbers nodes as operators make them. For
   * a node, this is its own number, or -1 if it adds to the gradient of a leaf. For an operator, it is the number that
   * the next node will get, or -1 if nothing is recorded.
   */
  readonly sequence: number;
  /** Wall-clock time, including everything that the call calls in turn. */
  readonly nanoseconds: number;
  /** The shapes of the tensors among the arguments, including those in lists; empty for a node. */
  readonly inputs: readonly (readonly number[])[];
  readonly results: readonly (readonly number[])[];
}

/** Runs `body` and times, in order, the operators and backward nodes (on the CPU) that this thread runs in it. */
export function profile(body: () => void): ProfiledCall[] {
  native.startProfile();
  let calls: ReturnType<typeof native.stopProfile> = [];
  try {
    body();
  } finally {
    calls = native.stopProfile();
  }
  return calls.map(([name, sequence, nanoseconds, inputs, results]) => ({
    name,
    sequence,
    nanoseconds,
    inputs,
    results,
  }));
}
