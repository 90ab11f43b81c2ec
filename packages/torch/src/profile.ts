import { native } from './native.js';

/** An operator that the program called, or a node of the graph that the backward pass went through. */
export interface ProfiledCall {
  /** `aten::conv2d`, `ConvolutionBackward0` */
  readonly name: string;
  /**
   * Nodes are numbered as operators make them. Of an operator: the number of the next node at its beginning, -1 where
   * nothing is recorded. Of a node: its own, -1 for those that add to the gradient of a leaf.
   */
  readonly sequence: number;
  /** With everything that was called by it. */
  readonly nanoseconds: number;
  /** The shapes of the tensors among the arguments, those in lists too; none of a node. */
  readonly inputs: readonly (readonly number[])[];
  readonly results: readonly (readonly number[])[];
}

/** Runs `body` and times what this thread calls in it, in order: operators, and the nodes of backward passes on the CPU. */
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
