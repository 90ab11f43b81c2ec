import { first, float, int, integers, ints, type Row } from './onnx-row.js';

/** An operator of the first argument alone. */
export const unary =
  (type: string): Row =>
  (call) =>
    call.model.node(type, [call.tensor(0).name]);

/** An operator of two tensors, or of a tensor and a number. */
export const binary =
  (type: string): Row =>
  (call) =>
    call.model.node(type, [call.operand(0).name, call.operand(1).name]);

/** A sum or difference, the second one times a number. */
export const weighted =
  (type: string): Row =>
  (call) => {
    const { model } = call;
    const left = call.operand(0).name;
    const right = call.operand(1).name;
    const factor = call.setting(2, 1);
    if (factor === 1) return model.node(type, [left, right]);
    return model.node(type, [left, first(model.node('Mul', [right, call.number(factor).name]))]);
  };

/** From the first towards the second, by so much. */
export const lerp: Row = (call) => {
  const { model } = call;
  const from = call.tensor(0).name;
  const way = first(model.node('Sub', [call.tensor(1).name, from]));
  return model.node('Add', [from, first(model.node('Mul', [way, call.operand(2).name]))]);
};

/** Values between two bounds, either of which may be missing. */
export const clip =
  (lowest?: number, highest?: number): Row =>
  (call) => {
    const bound = (place: number, missing: number | undefined) => {
      const value = call.setting(place, missing ?? Number.NaN);
      return Number.isNaN(value) ? '' : call.number(value).name;
    };
    return call.model.node('Clip', [call.tensor(0).name, bound(1, lowest), bound(2, highest)]);
  };

/** x times the sigmoid of x. */
export const silu: Row = (call) => {
  const { name } = call.tensor(0);
  return call.model.node('Mul', [name, first(call.model.node('Sigmoid', [name]))]);
};

/** x times the normal distribution's share below x. */
export const gelu: Row = (call) => {
  const { model } = call;
  const { name } = call.tensor(0);
  const approximation = call.setting(1, 'none');
  if (approximation !== 'none')
    throw call.error(`approximate is '${approximation}'; allowed for export to ONNX: 'none'`);
  const scaled = first(model.node('Mul', [name, call.number(Math.SQRT1_2).name]));
  const twice = first(model.node('Add', [first(model.node('Erf', [scaled])), call.number(1).name]));
  return model.node('Mul', [first(model.node('Mul', [name, call.number(0.5).name])), twice]);
};

export const leakyRelu: Row = (call) =>
  call.model.node('LeakyRelu', [call.tensor(0).name], { alpha: float(call.setting(1, 0.01)) });

export const elu: Row = (call) =>
  call.model.node('Elu', [call.tensor(0).name], { alpha: float(call.setting(1, 1)) });

export const reciprocalRoot: Row = (call) =>
  call.model.node('Reciprocal', call.model.node('Sqrt', [call.tensor(0).name]));

export const alongDimension =
  (type: string): Row =>
  (call) => {
    const input = call.tensor(0);
    return call.model.node(type, [input.name], { axis: int(call.dimension(1, 0, input.shape.length)) });
  };

/** The axes are an attribute of all reductions but the sum, until operator set 18. */
export const reduction =
  (type: string): Row =>
  (call) => {
    const input = call.tensor(0);
    const axes = call.dimensions(1, input.shape.length);
    return call.model.node(type, [input.name], {
      axes: ints(axes),
      keepdims: int(call.setting(2, false) ? 1 : 0),
    });
  };

export const sum: Row = (call) => {
  const input = call.tensor(0);
  const axes = integers(call, call.dimensions(1, input.shape.length));
  return call.model.node('ReduceSum', [input.name, axes], { keepdims: int(call.setting(2, false) ? 1 : 0) });
};
