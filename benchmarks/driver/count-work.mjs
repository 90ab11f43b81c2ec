/** Prints the arithmetic and the memory traffic of one benchmark step as JSON, as run by libtorch without fusion. */
import { fused, observeOperators, operatorSchemas, Tensor } from '../../packages/torch/dist/index.js';
import { loadBenchmark } from './load-benchmark.mjs';

/** The backward pass computes two gradients, for inputs and for weights. Each takes as much work as the forward pass. */
const passes = 3;
const bytesOf = { float32: 4, int64: 8, float64: 8, int32: 4, uint8: 1, bool: 1 };

const { name, settings, startFile } = JSON.parse(process.argv[2]);
const views = viewOperators();
let multiplyAdds = 0;
let bytes = 0;
const benchmark = await loadBenchmark(name);
const step = benchmark.prepare(settings, startFile);
fused.withoutKernels(() =>
  observeOperators(({ name, overload }, args, result) => {
    multiplyAdds += multiplyAddsOf(name, args, result);
    if (!views.has(`${name}.${overload}`) && result !== undefined)
      for (const { shape, dtype } of tensorsIn([args, result])) bytes += product(shape) * bytesOf[dtype];
  }, step),
);
console.log(JSON.stringify({ flop: 2 * passes * multiplyAdds, bytes: passes * bytes }));

/**
 * Counts the multiply-adds of convolutions, linear layers and matrix products. Each element of their results is a sum of
 * products.
 * @param {string} name
 * @param {readonly any[]} args
 * @param {any} result
 */
function multiplyAddsOf(name, args, result) {
  const shape = (/** @type {number} */ handle) => new Tensor(handle).shape;
  switch (name) {
    case 'aten::conv2d':
    case 'aten::linear':
      return product(shape(result)) * product(shape(args[1]).slice(1));
    case 'aten::mm':
    case 'aten::matmul':
      return product(shape(result)) * shape(args[1]).at(-2);
    case 'aten::lstm_cell':
      // Input and hidden state, each multiplied by the matrix of the four gates.
      return shape(args[0])[0] * (product(shape(args[2])) + product(shape(args[3])));
    default:
      return 0;
  }
}

/** The operators whose results share memory with their inputs. They cause no traffic. */
function viewOperators() {
  const schemas = operatorSchemas().flatMap((schema) => {
    const [, name, overload = '', rest] = /^(\w+::\w+)(?:\.(\w+))?(\(.*)$/.exec(schema) ?? [];
    return rest !== undefined && /Tensor\(a(?! *!)/.test(rest) ? [`${name}.${overload}`] : [];
  });
  return new Set(schemas);
}

/**
 * @param {any[]} values nested lists of tensor handles and other numbers
 * @returns {Tensor[]}
 */
function tensorsIn(values) {
  return values
    .flat(3)
    .filter((value) => typeof value === 'number')
    .map((handle) => new Tensor(handle))
    .filter((tensor) => tensor.isLive);
}

/** @param {readonly number[]} lengths */
function product(lengths) {
  return lengths.reduce((total, length) => total * length, 1);
}
