import { type OperatorCall, type TracedTensor, tensorsOf } from './operator-trace.js';

const product = (numbers: Shape) => numbers.reduce((all, number) => all * number, 1);

/**
 * Multiply-adds of convolutions, linear layers, matrix products and recurrent cells. As usual in the field, all other
 * operators count as nothing.
 */
export function multiplyAdds(calls: readonly OperatorCall[]): number {
  return calls.reduce((sum, call) => sum + multiplyAddsOf(call, calls), 0);
}

/** Multiply-adds of one of the calls. */
export function multiplyAddsOf(call: OperatorCall, calls: readonly OperatorCall[]): number {
  const shapeOf = (tensor: TracedTensor) => {
    if (tensor.from === 'state' || tensor.from === 'constant') return tensor.shape;
    return tensor.from === 'call' ? calls[tensor.call]?.shapes[tensor.result] : undefined;
  };
  const tensors = tensorsOf(call);
  // Constant filters belong to a normalisation, such as that of local contrast.
  if (call.operator.startsWith('aten::conv') && tensors[1]?.from === 'constant') return 0;
  const [input, ...others] = tensors.map(shapeOf);
  const found = input ?? imageOfTransposedConvolution(call, others[0]);
  return multiplyAddsOfOperator(call.operator, [found, ...others], call.shapes);
}

type Shape = readonly number[];

/**
 * The shape of an image, from its transposed convolution; a trace does not tell the shapes of what a network is given.
 * Undefined for other operators.
 */
function imageOfTransposedConvolution(
  { operator, args, shapes }: OperatorCall,
  weight: Shape | undefined,
): Shape | undefined {
  const [result] = shapes;
  if (operator !== 'aten::conv_transpose2d' || weight === undefined || result === undefined) return undefined;
  const [images] = result as [number];
  const [channels, , ...kernel] = weight as [number, number, ...number[]];
  const setting = (place: number, missing: number) => (side: number) => {
    const list = [args[place] ?? missing].flat() as number[];
    return list[side] ?? list[0] ?? missing;
  };
  const [stride, padding, added, dilation] = [setting(3, 1), setting(4, 0), setting(5, 0), setting(7, 1)];
  const sides = kernel.map((length, side) => {
    const reach = dilation(side) * (length - 1) + added(side) + 1;
    return ((result[2 + side] as number) - reach + 2 * padding(side)) / stride(side) + 1;
  });
  return [images, channels, ...sides];
}

/**
 * Multiply-adds of one call.
 *
 * @param shapes of the tensors among its arguments, those in lists as well; undefined for a shape that is not known
 * @param results the shapes of its results
 */
export function multiplyAddsOfOperator(
  operator: string,
  shapes: readonly (Shape | undefined)[],
  results: readonly Shape[],
): number {
  const [result] = results;
  if (result === undefined) return 0;
  const [input, ...others] = shapes;
  const [weight] = others;
  switch (operator) {
    case 'aten::conv1d':
    case 'aten::conv2d':
    case 'aten::linear':
      // Each value of the result is a sum of as many products as a filter has values.
      return product(result) * product((weight as Shape).slice(1));
    case 'aten::conv_transpose2d':
      // Each value of the input meets every filter of its channel. Products that the padding cuts off count too.
      return product(input as Shape) * product((weight as Shape).slice(1));
    case 'aten::bmm':
    case 'aten::dot':
    case 'aten::matmul':
    case 'aten::mm':
    case 'aten::mv':
      return product(result) * innerLength(input, weight, result);
    case 'aten::addmm':
    case 'aten::baddbmm':
      return product(result) * innerLength(weight, others[1], result);
    case 'aten::lstm_cell':
    case 'aten::gru_cell': {
      // The two matrices of the gates meet each example once.
      const [fromInput, fromHidden] = others.slice(operator === 'aten::lstm_cell' ? 2 : 1) as [Shape, Shape];
      return (result[0] as number) * (product(fromInput) + product(fromHidden));
    }
    case 'espalier::matmul':
      return product(result) * (input?.at(-1) ?? 0);
    case 'espalier::relu_conv_norm': {
      // After the images come the depthwise weights, if any, and the pointwise weights, one of each for every unit. Each
      // weight meets every pixel of the result once.
      const [images, , ...pixels] = result;
      const weighty = shapes.filter((shape) => shape?.length === 4) as Shape[];
      const channels = results.reduce(
        (sum, shape) => sum + (shape.length === 4 ? (shape[1] as number) : 0),
        0,
      );
      const units = channels / ((weighty.at(-1) as Shape)[0] as number);
      const weights = weighty.slice(weighty.length > 2 * units ? -2 * units : -units);
      return product([images as number, ...pixels]) * weights.reduce((sum, shape) => sum + product(shape), 0);
    }
    case 'espalier::mixed_recurrence': {
      // Matrices [H, 2 H]: one for the last output, then one for each node, which meets every state before the node.
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

/** How many products each value of a matrix product is the sum of; a matrix times itself is square. */
function innerLength(left: Shape | undefined, right: Shape | undefined, result: Shape): number {
  return left?.at(-1) ?? right?.at(-2) ?? right?.at(-1) ?? result.at(-1) ?? 1;
}
