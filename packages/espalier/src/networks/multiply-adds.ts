import { type OperatorCall, type TracedTensor, tensorsOf } from './operator-trace.js';

const product = (numbers: readonly number[]) => numbers.reduce((all, number) => all * number, 1);

/**
 * Multiply-adds of convolutions and linear layers, the matrix products of recurrent cells among them; everything else
 * is not counted, as in the field.
 */
export function multiplyAdds(calls: readonly OperatorCall[]): number {
  return calls.reduce((sum, call) => sum + multiplyAddsOf(call, calls), 0);
}

/** Of one of the calls. */
export function multiplyAddsOf(call: OperatorCall, calls: readonly OperatorCall[]): number {
  // Each output value is a sum of as many products as a filter, or a column of the weight, has values.
  const sumLength = (operand: TracedTensor | undefined, length: (shape: readonly number[]) => number) => {
    if (operand?.from === 'state') return length(operand.shape);
    if (operand?.from === 'call') return length(calls[operand.call]?.shapes[operand.result] ?? []);
    return 0;
  };
  const [, weight] = tensorsOf(call);
  const results = product(call.shapes[0] as readonly number[]);
  switch (call.operator) {
    case 'aten::conv1d':
    case 'aten::conv2d':
    case 'aten::linear':
      return results * sumLength(weight, (shape) => product(shape.slice(1)));
    case 'aten::mm':
    case 'aten::matmul':
      return results * sumLength(weight, (shape) => shape.at(-2) ?? 0);
    default:
      return 0;
  }
}
