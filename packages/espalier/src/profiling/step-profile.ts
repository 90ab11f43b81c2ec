import { backward, optim, type ProfiledCall, profile, scope, type Tensor } from '@espalier/torch';
import { multiplyAddsOfOperator } from '../networks/multiply-adds.js';
import { kindOfCall } from './kind-of-call.js';
import type { TrainingStep } from './training-step.js';

/** The times of a training step in ms: computing the loss, its gradients and the weight update. */
export interface PhaseTimes {
  readonly forward: number;
  readonly backward: number;
  readonly update: number;
}

/** The times of one operator in a training step, averaged over the steps. */
interface OperatorTimes extends PhaseTimes {
  /**
   * The name of the operator, such as `aten::conv2d`. For work that only the backward pass does, the name of the autograd
   * node, such as `torch::autograd::AccumulateGrad`.
   */
  readonly operator: string;
  /** The kind of the calls, derived from the shapes of their inputs, such as `3x3 depthwise`. May be empty. */
  readonly kind: string;
  readonly calls: number;
  /** Multiply-adds of the forward pass. */
  readonly multiplyAdds: number;
}

export interface StepProfile {
  /** The number of steps that the means are taken over. */
  readonly steps: number;
  /** The wall-clock time of each phase. */
  readonly whole: PhaseTimes;
  /** The operators, slowest first. */
  readonly operators: readonly OperatorTimes[];
  /** Time outside of operators: the JavaScript program and the bookkeeping of the backward pass. */
  readonly outside: PhaseTimes;
}

export const totalOf = ({ forward, backward, update }: PhaseTimes): number => forward + backward + update;

type Writable<T> = { -readonly [key in keyof T]: T[key] };

const none = (): Writable<PhaseTimes> => ({ forward: 0, backward: 0, update: 0 });

/**
 * Profiles training steps by operator. The steps use stochastic gradient descent with momentum, after one warm-up step
 * that is not measured. The time of an operator covers the calls that the program makes, including everything that
 * libtorch calls in turn, and the backward nodes that these calls created. So no time is counted twice.
 *
 * @param report called before each step, including the warm-up step, with the number of the step and their total
 */
export function profileSteps(
  step: TrainingStep,
  steps: number,
  report: (step: number, of: number) => void = () => {},
): StepProfile {
  const { network } = step;
  const optimizer = new optim.SGD(network.parameters(), { learningRate: 1e-3, momentum: 0.9 });
  const whole = none();
  const rows = new Map<string, Writable<OperatorTimes>>();
  const rowOf = (operator: string, kind: string) => {
    const key = `${operator} ${kind}`;
    const row = rows.get(key) ?? { operator, kind, calls: 0, ...none(), multiplyAdds: 0 };
    rows.set(key, row);
    return row;
  };
  network.train();
  try {
    for (let number = 0; number <= steps; number++) {
      report(number + 1, steps + 1);
      const phases = runStep(step, optimizer);
      if (number > 0) count(phases, whole, rowOf);
    }
  } finally {
    optimizer.free();
    optimizer.zeroGrad();
  }
  const mean = <T extends PhaseTimes>(times: T): T => ({
    ...times,
    forward: times.forward / steps,
    backward: times.backward / steps,
    update: times.update / steps,
  });
  const operators = [...rows.values()]
    .map((row) => ({ ...mean(row), calls: row.calls / steps, multiplyAdds: row.multiplyAdds / steps }))
    .sort((one, other) => totalOf(other) - totalOf(one));
  const outside = mean(whole);
  for (const { forward, backward, update } of operators) {
    outside.forward -= forward;
    outside.backward -= backward;
    outside.update -= update;
  }
  return { steps, whole: mean(whole), operators, outside };
}

interface Phase {
  readonly calls: readonly ProfiledCall[];
  readonly milliseconds: number;
}

function runStep(step: TrainingStep, optimizer: optim.SGD): Record<keyof PhaseTimes, Phase> {
  const timed = (body: () => void): Phase => {
    let milliseconds = 0;
    const calls = profile(() => {
      const begun = performance.now();
      body();
      milliseconds = performance.now() - begun;
    });
    return { calls, milliseconds };
  };
  return scope(() => {
    optimizer.zeroGrad();
    let loss: Tensor | undefined;
    const forward = timed(() => {
      loss = step.loss();
    });
    return {
      forward,
      backward: timed(() => backward(loss as Tensor)),
      update: timed(() => optimizer.step()),
    };
  });
}

function count(
  { forward, backward, update }: Record<keyof PhaseTimes, Phase>,
  whole: Writable<PhaseTimes>,
  rowOf: (operator: string, kind: string) => Writable<OperatorTimes>,
): void {
  whole.forward += forward.milliseconds;
  whole.backward += backward.milliseconds;
  whole.update += update.milliseconds;
  /** The operators whose calls may have created backward nodes, with the sequence number of the first such node. */
  const makers: { sequence: number; row: Writable<OperatorTimes> }[] = [];
  const begin = (call: ProfiledCall) => {
    const row = rowOf(call.name, kindOfCall(call));
    row.calls++;
    return row;
  };
  for (const call of forward.calls) {
    const row = begin(call);
    row.forward += call.nanoseconds / 1e6;
    row.multiplyAdds += multiplyAddsOfOperator(call.name, call.inputs, call.results);
    if (call.sequence >= 0) makers.push({ sequence: call.sequence, row });
  }
  for (const call of backward.calls) {
    // Operators that the engine calls itself, such as for the initial gradient, have tensors. Nodes have none here.
    const isNode = call.inputs.length + call.results.length === 0;
    const maker =
      isNode && call.sequence >= 0 ? makers.findLast(({ sequence }) => sequence <= call.sequence) : undefined;
    (maker?.row ?? begin(call)).backward += call.nanoseconds / 1e6;
  }
  for (const call of update.calls) begin(call).update += call.nanoseconds / 1e6;
}
