import {
  type Memory,
  type OperatorCall,
  type OperatorTrace,
  type TracedTensor,
  tensorsOf,
} from './operator-trace.js';

/**
 * The memory in bytes that one call allocates for its results. Views and in-place results allocate none.
 *
 * @param place index of the call in the trace
 */
export function activationBytesOf({ calls }: OperatorTrace, place: number): number {
  const taken = (calls[place]?.memory ?? []).filter(({ takenBy }) => takenBy === place);
  return [...new Set(taken)].reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * The activation memory of a training step, in bytes per input: the memory of the results of all operators, each block
 * counted once. The backward pass reads most of the results, so they are kept until then (Chen et al. 2016, "Training deep
 * nets with sublinear memory cost", section 3). This memory grows with the batch size. A step also needs memory for the
 * weights, their gradients and the optimizer state.
 */
export function activationBytes(trace: OperatorTrace): number {
  return trace.calls.reduce((sum, _, place) => sum + activationBytesOf(trace, place), 0);
}

/**
 * The peak memory of the results in inference, in bytes, if the operators run in the order of the trace. A result is kept
 * from the operator that computes it to the last one that reads it, or to the end if it is returned. The input is not
 * counted.
 */
export function evaluationBytes({ calls, outputs }: OperatorTrace): number {
  const taken = new Map<Memory, number>();
  const lastUse = new Map<Memory, number>();
  for (const [place, call] of calls.entries()) {
    const read = tensorsOf(call).flatMap((tensor) => memoryOf(tensor, calls));
    for (const memory of [...read, ...call.memory]) lastUse.set(memory, place);
    for (const memory of call.memory) if (memory.takenBy !== undefined) taken.set(memory, memory.takenBy);
  }
  for (const tensor of Object.values(outputs))
    for (const memory of memoryOf(tensor, calls)) lastUse.set(memory, calls.length);

  /** The change at each call: bytes allocated there, minus bytes freed after their last use by the previous call. */
  const change = new Array<number>(calls.length + 2).fill(0);
  for (const [memory, place] of taken) {
    const freed = (lastUse.get(memory) as number) + 1;
    change[place] = (change[place] as number) + memory.bytes;
    change[freed] = (change[freed] as number) - memory.bytes;
  }
  let now = 0;
  let most = 0;
  for (const bytes of change) {
    now += bytes;
    most = Math.max(most, now);
  }
  return most;
}

function memoryOf(tensor: TracedTensor, calls: readonly OperatorCall[]): readonly Memory[] {
  if (tensor.from !== 'call') return [];
  return [calls[tensor.call]?.memory[tensor.result] as Memory];
}
