import { type OperatorCall, type TracedTensor, tensorsOf } from './operator-trace.js';

const product = (numbers: Shape) => numbers.reduce((all, number) => all * number, 1);

/**
 * Multiply-adds of convolutions and linear layers, the matrix products of recurrent cells among them; everything else
 * is not counted, as in the field.
 */
export function multiplyAdds(calls: readonly OperatorCall[]): number {
  return calls.reduce((sum, call) => sum + multiplyAddsOf(call, calls), 0);
}

/** Of one of the calls. */
export function multiplyAddsOf(call: OperatorCall, calls: readonly OperatorCall[]): number {
  const shapeOf = (tensor: TracedTensor) => {
    if (tensor.from === 'state') return tensor.shape;
    return tensor.from === 'call' ? calls[tensor.call]?.shapes[tensor.result] : undefined;
  };
  return multiplyAddsOfOperator(call.operator, tensorsOf(call).map(shapeOf), call.shapes);
}

type Shape = readonly number[];

/** Of one call, from the shapes of the tensors among its arguments and of its results. */
export function multiplyAddsOfOperator(
  operator: string,
  [input, ...others]: readonly (Shape | undefined)[],
  results: readonly Shape[],
): number {
  const [weight] = others;
  const [result] = results;
  if (weight === undefined || result === undefined) return 0;
  // Each output value is a sum of as many products as a filter, or a column of the weight, has values.
  switch (operator) {
    case 'aten::conv1d':
    case 'aten::conv2d':
    case 'aten::linear':
      return product(result) * product(weight.slice(1));
    case 'aten::mm':
    case 'aten::matmul':
      return product(result) * (weight.at(-2) ?? 0);
    case 'espalier::matmul':
      return product(result) * (input?.at(-1) ?? 0);
    case 'espalier::relu_conv_norm': {
      // What is read, then depthwise (or none) and pointwise weights, one each for a unit: each weight meets every pixel of the
      // result once.
      const [images, , ...pixels] = result;
      const shapes = [input, ...others].filter((shape) => shape?.length === 4) as Shape[];
      const channels = results.reduce(
        (sum, shape) => sum + (shape.length === 4 ? (shape[1] as number) : 0),
        0,
      );
      const units = channels / ((shapes.at(-1) as Shape)[0] as number);
      const weights = shapes.slice(shapes.length > 2 * units ? -2 * units : -units);
      return product([images as number, ...pixels]) * weights.reduce((sum, shape) => sum + product(shape), 0);
    }
    case 'espalier::mixed_recurrence': {
      // Matrices [H, 2 H]: that of the last output, then one a node, which meets every state before the node.
      const [, first] = others;
      const matrices = others.filter((shape) => String(shape) === String(first));
      const products = matrices.reduce(
        (sum, matrix, node) => sum + product(matrix as Shape) * Math.max(1, node),
        0,
      );
      return product(result.slice(0, 2)) * products;
    }
    default:
      return 0;
  }
}
