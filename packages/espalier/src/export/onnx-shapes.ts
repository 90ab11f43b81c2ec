import type { OnnxCall } from './onnx-call.js';
import { END, first, int, integers, ints, type Row } from './onnx-row.js';

/** An operator that returns what it is given, apart from the settings at some places. */
export const same =
  (...ignored: readonly number[]): Row =>
  (call) => {
    call.ignore(...ignored);
    return [call.tensor(0).name];
  };

/** The same numbers in the shape of the result, whatever arguments it came from. */
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
  const index = call.model.constant(BigInt64Array.of(BigInt(call.setting(2, 0))), []);
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

export const unbind: Row = (call) => {
  const { model } = call;
  const input = call.tensor(0);
  const axis = call.dimension(1, 0, input.shape.length);
  return call.shapes.map((_, index) => {
    const place = model.constant(BigInt64Array.of(BigInt(index)), []);
    return first(model.node('Gather', [input.name, place], { axis: int(axis) }));
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

/** libtorch's list begins with the last dimension: begin and end of each. A negative width cuts off. */
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

/** A size of 1 in the target leaves the input's size as it is, that of the batch among them. */
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
