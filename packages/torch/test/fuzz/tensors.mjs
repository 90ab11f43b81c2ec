// The tensors of a case. A case describes them as JSON, so that it can be printed and repeated.
import { invoke, Operator } from '../../dist/dispatcher.js';
import { cat, manualSeed, noGrad, rand, randint, randn, Tensor, zeros } from '../../dist/index.js';
import { chance, oneOf } from './draws.mjs';

/**
 * @typedef {object} Description
 * @property {true} isTensor
 * @property {number[]} shape
 * @property {string} dtype
 * @property {string} values its elements: the name of a filler, or `below N`
 * @property {string} layout its order in memory: the name of a layout
 * @property {boolean} learned whether its gradient is compared
 * @property {boolean} [written] whether a kernel writes to it
 * @property {string} [device]
 */

/** Elements by name. Sums of products of `dyadic` numbers are exact. */
const fillers = {
  normal: randn,
  dyadic: (shape, options) => randn(shape, options).mul(4).round().div(8),
  positive: (shape, options) => rand(shape, options).add(0.5),
  ties: (shape, options) => randn(shape, options).round(),
  'minus infinity': (shape, options) => randn(shape, options).relu().log(),
  zeros,
};

/** Views of the same values that lie in memory in another order, with gaps, or that share elements. */
const layouts = {
  contiguous: (values) => values,
  'channels last': (values) =>
    values.shape.length === 4 ? values.contiguous({ memoryFormat: 'channels_last' }) : values,
  strided(values) {
    if (values.shape.length === 0) return values;
    const room = values.newZeros([...values.shape.slice(0, -1), 2 * values.shape.at(-1)]);
    const view = room.slice(-1, 0, undefined, 2);
    noGrad(() => view.copy_(values));
    return view;
  },
  permuted(values) {
    const order = values.shape.map((_, dimension) => values.shape.length - 1 - dimension);
    return values.permute(order).contiguous().permute(order);
  },
  offset(values) {
    const flat = cat([values.newZeros([3]), values.reshape([values.size])]);
    return flat.narrow(0, 3, values.size).view(values.shape);
  },
  negated: (values) =>
    values.dtype.startsWith('float') ? new Tensor(invoke(negatedView, values.neg().handle)) : values,
  expanded(values) {
    const dimension = values.shape.findIndex((size) => size > 1);
    return dimension < 0 ? values : values.narrow(dimension, 0, 1).expand(values.shape);
  },
};
const negatedView = new Operator('aten::_neg_view', '');

/**
 * Describes a tensor that a kernel reads, in any layout.
 * @param {number[]} shape
 * @param {Partial<Description>} [rest]
 * @returns {Description}
 */
export function input(g, shape, rest = {}) {
  const layout = chance(g, 50) ? 'contiguous' : oneOf(g, ...Object.keys(layouts));
  return {
    isTensor: true,
    shape,
    dtype: 'float32',
    values: 'normal',
    layout,
    learned: chance(g, 70),
    ...rest,
  };
}

/** Describes a tensor that a kernel reads, in any layout in which its elements differ. */
export function distinctInput(g, shape, rest = {}) {
  const described = input(g, shape, rest);
  return described.layout === 'expanded' ? { ...described, layout: 'permuted' } : described;
}

/** Describes a tensor that a kernel writes to. */
export function state(g, shape, rest = {}) {
  return {
    ...input(g, shape, rest),
    layout: oneOf(g, 'contiguous', 'strided', 'offset'),
    learned: false,
    written: true,
  };
}

export const isDescription = (value) => value?.isTensor === true;

/**
 * Makes the tensors of a case; their values depend on the seed alone.
 * @param {unknown} value the case, or a part of it
 * @param {number} seed
 * @param {boolean} asDescribed in the described layouts; otherwise contiguous
 * @returns the case with tensors, and the tensors in order
 */
export function makeTensors(value, seed, asDescribed) {
  manualSeed(seed);
  const tensors = [];
  const make = (each) => {
    if (isDescription(each)) {
      const tensor = makeTensor(each, asDescribed);
      tensors.push(tensor);
      return tensor;
    }
    if (Array.isArray(each)) return each.map(make);
    if (each === null || typeof each !== 'object') return each;
    return Object.fromEntries(Object.entries(each).map(([name, inner]) => [name, make(inner)]));
  };
  return { args: make(value), tensors };
}

function makeTensor({ shape, dtype, values, layout, learned, device }, asDescribed) {
  const isFloat = dtype === 'float32' || dtype === 'float64';
  const [name, most] = values.split(' ');
  const filled =
    name === 'below'
      ? randint(0, Math.max(1, Number(most)), shape, { dtype: 'int64' })
      : fillers[values](shape, { dtype: isFloat ? dtype : 'float32' });
  const typed = filled.dtype === dtype ? filled : filled.to({ dtype });
  if (device !== undefined) return typed.to({ device });
  const view = layouts[layout](typed);
  const tensor = (asDescribed ? view : view.clone().contiguous()).detach();
  if (learned && isFloat) tensor.requiresGrad = true;
  return tensor;
}
