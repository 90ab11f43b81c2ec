import type { OnnxCall } from './onnx-call.js';
import { BEGINNING, cast, END, first, int, integer, integers, ints, type Row } from './onnx-row.js';

/** An operator that leaves the values as they are; its arguments at some places concern memory only. */
export const same =
  (...ignored: readonly number[]): Row =>
  (call) => {
    call.ignore(...ignored);
    return [call.tensor(0).name];
  };

/**
 * A copy, perhaps of another element type. Every tensor of a model but the tokens is float32, whatever its values are:
 * what becomes bool is 1 and 0, what becomes an integer is cut to one.
 */
export const copy: Row = (call) => {
  const { name } = call.tensor(0);
  call.ignore(6);
  if (!call.isGiven(1)) return [name];
  const dtype = call.setting(1, FLOAT32);
  if (dtype === BOOL) return [cast(call, cast(call, name, 'bool'), 'float32')];
  if (dtype === INT64) return [cast(call, cast(call, name, 'int64'), 'float32')];
  if (dtype === FLOAT32) return [cast(call, name, 'float32')];
  throw call.error('it converts to another element type; allowed: bool, int64, float32');
};

/** Element types as libtorch numbers them (`c10/core/ScalarType.h`). */
const [INT64, FLOAT32, BOOL] = [4, 6, 11];

/** The same values in the shape of the result, whatever arguments lead to it. */
export const reshape: Row = (call) => {
  call.ignore(1, 2);
  return call.model.node('Reshape', [call.tensor(0).name, integers(call, call.shapeWithOneFree())]);
};

/** Part of a dimension. */
const cut = (call: OnnxCall, input: string, dimension: number, range: readonly (number | bigint)[]) => {
  const [start, end, step = 1] = range as readonly [number | bigint, number | bigint, number?];
  return call.model.node('Slice', [
    input,
    integers(call, [start]),
    integers(call, [end]),
    integers(call, [dimension]),
    integers(call, [step]),
  ]);
};

export const slice: Row = (call) => {
  const input = call.tensor(0);
  const dimension = call.dimension(1, 0, input.shape.length);
  const end = call.isGiven(3) ? call.setting(3, 0) : END;
  return cut(call, input.name, dimension, [call.setting(2, 0), end, call.setting(4, 1)]);
};

export const narrow: Row = (call) => {
  const input = call.tensor(0);
  const start = call.setting(2, 0);
  const end = start + call.setting(3, 0);
  const dimension = call.dimension(1, 0, input.shape.length);
  return cut(call, input.name, dimension, [start, start < 0 && end === 0 ? END : end]);
};

export const select: Row = (call) => {
  const input = call.tensor(0);
  const index = integer(call, call.setting(2, 0));
  const axis = int(call.dimension(1, 0, input.shape.length));
  return call.model.node('Gather', [input.name, index], { axis });
};

export const split: Row = (call) => {
  const input = call.tensor(0);
  call.ignore(1);
  const axis = call.dimension(2, 0, input.shape.length);
  const sizes = call.shapes.map((shape) => call.fixed(shape.slice(axis, axis + 1))[0] as number);
  return call.model.node('Split', [input.name, integers(call, sizes)], { axis: int(axis) }, sizes.length);
};

/** The slices at some indices of a dimension. */
export const indexSelect: Row = (call) => {
  const input = call.tensor(0);
  const axis = int(call.dimension(1, 0, input.shape.length));
  return call.model.node('Gather', [input.name, cast(call, call.tensor(2).name, 'int64')], { axis });
};

export const flip: Row = (call) => {
  const input = call.tensor(0);
  const axes = call.dimensions(1, input.shape.length);
  const each = (value: number | bigint) =>
    integers(
      call,
      axes.map(() => value),
    );
  return call.model.node('Slice', [input.name, each(-1), each(BEGINNING), integers(call, axes), each(-1)]);
};

/** One value in the shape of the first argument, whose other arguments say how it lies in memory. */
export const filledLike =
  (value: number): Row =>
  (call) => {
    call.ignore(1, 2, 3, 4, 5);
    const shape = first(call.model.node('Shape', [call.tensor(0).name]));
    return call.model.node('Expand', [call.number(value).name, shape]);
  };

/** One value in a shape of its own; the tensor that it is made like gives type and device only. */
export const filled =
  (value: number): Row =>
  (call) => {
    call.ignore(0, 2, 3, 4, 5);
    const shape = call.list(1) ?? [];
    const count = shape.reduce((product, size) => product * size, 1);
    return [call.model.constant(new Float32Array(count).fill(value), shape)];
  };

export const unbind: Row = (call) => {
  const { model } = call;
  const input = call.tensor(0);
  const axis = call.dimension(1, 0, input.shape.length);
  return call.shapes.map((_, index) => {
    return first(model.node('Gather', [input.name, integer(call, index)], { axis: int(axis) }));
  });
};

export const concatenate: Row = (call) => {
  const inputs = call.tensors(0);
  const axis = call.dimension(1, 0, call.shape.length);
  return call.model.node(
    'Concat',
    inputs.map(({ name }) => name),
    { axis: int(axis) },
  );
};

export const stack: Row = (call) => {
  const { model } = call;
  const axis = call.dimension(1, 0, call.shape.length);
  const inputs = call
    .tensors(0)
    .map(({ name }) => first(model.node('Unsqueeze', [name, integers(call, [axis])])));
  return model.node('Concat', inputs, { axis: int(axis) });
};

/** libtorch lists the widths before and after each dimension, the last dimension first. A negative width cuts off. */
export const pad: Row = (call) => {
  const { model } = call;
  const input = call.tensor(0);
  const rank = input.shape.length;
  const given = call.list(1) ?? [];
  const value = call.number(call.setting(2, 0)).name;
  const begins = new Array<number>(rank).fill(0);
  const ends = new Array<number>(rank).fill(0);
  for (let pair = 0; 2 * pair < given.length; pair++) {
    begins[rank - 1 - pair] = given[2 * pair] as number;
    ends[rank - 1 - pair] = given[2 * pair + 1] as number;
  }
  let { name } = input;
  for (let dimension = 0; dimension < rank; dimension++) {
    const [begin, end] = [begins[dimension] as number, ends[dimension] as number];
    if (begin >= 0 && end >= 0) continue;
    name = first(cut(call, name, dimension, [Math.max(0, -begin), end < 0 ? end : END]));
  }
  const widths = [...begins, ...ends].map((width) => Math.max(0, width));
  if (widths.every((width) => width === 0)) return [name];
  return model.node('Pad', [name, integers(call, widths), value]);
};

/** Swaps the dimensions of a matrix; a vector stays as it is. */
export const transposeMatrix: Row = (call) => {
  const input = call.tensor(0);
  const perm = ints([...input.shape.keys()].reverse());
  return call.model.node('Transpose', [input.name], { perm });
};

export const transpose: Row = (call) => {
  const input = call.tensor(0);
  const order = [...input.shape.keys()];
  const [one, other] = [call.dimension(1, 0, order.length), call.dimension(2, 0, order.length)];
  [order[one], order[other]] = [other, one];
  return call.model.node('Transpose', [input.name], { perm: ints(order) });
};

export const permute: Row = (call) => {
  const input = call.tensor(0);
  return call.model.node('Transpose', [input.name], { perm: ints(call.dimensions(1, input.shape.length)) });
};

/** A size of 1 in the target keeps the input's size, such as that of the batch. */
export const expand: Row = (call) => {
  const input = call.tensor(0);
  call.ignore(1);
  const { shape } = call;
  const target = shape.map((size, index) => {
    if (size !== null) return size;
    if (input.shape[index - shape.length + input.shape.length] === null) return 1;
    throw call.error(
      `it repeats dimension ${index} as often as the batch is large; ONNX export has no operator for that`,
    );
  });
  return call.model.node('Expand', [input.name, integers(call, target)]);
};
