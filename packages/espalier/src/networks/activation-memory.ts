import {
  type Memory,
  type OperatorCall,
  type OperatorTrace,
  type TracedTensor,
  tensorsOf,
} from './operator-trace.js';

/**
 * Bytes that one call takes for its results. Views of what was there and results in place take none.
 *
 * @param place of the call in the trace
 */
export function activationBytesOf({ calls }: OperatorTrace, place: number): number {
  const taken = (calls[place]?.memory ?? []).filter(({ takenBy }) => takenBy === place);
  return [...new Set(taken)].reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * The activation memory of a training step, in bytes for one input: of the results of all operators, each piece of memory
 * once. The backward pass reads most of them, so they stay until it comes (Chen et al. 2016, "Training deep nets with
 * sublinear memory cost", section 3); it grows with the batch, and is what a step takes beside the weights and what is
 * kept for each of them (gradient, momentum).
 */
export function activationBytes(trace: OperatorTrace): number {
  return trace.calls.reduce((sum, _, place) => sum + activationBytesOf(trace, place), 0);
}

/**
 * The most bytes of results that are needed at once where nothing is learned, in the order of the trace: each from the
 * operator that makes it to the last one that reads it, or to the end where it is returned. The input is not counted.
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

  /** By place: what is taken there, less what was last read before. */
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
