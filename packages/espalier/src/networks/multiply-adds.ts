import type { OperatorCall } from './operator-trace.js';

const product = (numbers: readonly number[]) => numbers.reduce((all, number) => all * number, 1);

/** Multiply-adds of convolutions and linear layers for one image; everything else is not counted, as in the field. */
export function multiplyAdds(calls: readonly OperatorCall[]): number {
  let sum = 0;
  for (const { operator, state, shape } of calls) {
    const weight = state[0]?.shape;
    if (weight === undefined) continue;
    // Each output value is a sum over one filter: all of the weight but its first dimension.
    if (operator === 'aten::conv2d' || operator === 'aten::conv1d' || operator === 'aten::linear')
      sum += product(shape) * product(weight.slice(1));
  }
  return sum;
}
