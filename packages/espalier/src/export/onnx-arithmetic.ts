import { first, float, int, integers, ints, type Row } from './onnx-row.js';

/** An operator on its first argument alone. */
export const unary =
  (type: string): Row =>
  (call) =>
    call.model.node(type, [call.tensor(0).name]);

/** An operator on two tensors, or on a tensor and a number. */
export const binary =
  (type: string): Row =>
  (call) =>
    call.model.node(type, [call.operand(0).name, call.operand(1).name]);

/** A sum or a difference, its second operand times a number. */
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

/** Linear interpolation from the first tensor to the second. */
export const lerp: Row = (call) => {
  const { model } = call;
  const from = call.tensor(0).name;
  const way = first(model.node('Sub', [call.tensor(1).name, from]));
  return model.node('Add', [from, first(model.node('Mul', [way, call.operand(2).name]))]);
};

/** Limits values to an interval; either bound may be missing. */
export const clip =
  (lowest?: number, highest?: number): Row =>
  (call) => {
    const bound = (place: number, missing: number | undefined) => {
      const value = call.setting(place, missing ?? Number.NaN);
      return Number.isNaN(value) ? '' : call.number(value).name;
    };
    return call.model.node('Clip', [call.tensor(0).name, bound(1, lowest), bound(2, highest)]);
  };

/** x sigmoid(x) */
export const silu: Row = (call) => {
  const { name } = call.tensor(0);
  return call.model.node('Mul', [name, first(call.model.node('Sigmoid', [name]))]);
};

/** x times the probability that a standard normal variable is below x; or Hendrycks & Gimpel's approximation by tanh. */
export const gelu: Row = (call) => {
  const { model } = call;
  const { name } = call.tensor(0);
  const times = (one: string, other: string) => first(model.node('Mul', [one, other]));
  const number = (value: number) => call.number(value).name;
  const approximation = call.setting(1, 'none');
  const twice = () => {
    if (approximation === 'none') return model.node('Erf', [times(name, number(Math.SQRT1_2))]);
    const cube = times(times(name, name), times(name, number(0.044715)));
    const sum = first(model.node('Add', [name, cube]));
    return model.node('Tanh', [times(sum, number(Math.sqrt(2 / Math.PI)))]);
  };
  const probability = first(model.node('Add', [first(twice()), number(1)]));
  return model.node('Mul', [times(name, number(0.5)), probability]);
};

export const leakyRelu: Row = (call) =>
  call.model.node('LeakyRelu', [call.tensor(0).name], { alpha: float(call.setting(1, 0.01)) });

export const elu: Row = (call) =>
  call.model.node('Elu', [call.tensor(0).name], { alpha: float(call.setting(1, 1)) });

/** min(max(0, x + 3), 6) / 6 */
export const hardsigmoid: Row = (call) =>
  call.model.node('HardSigmoid', [call.tensor(0).name], { alpha: float(1 / 6), beta: float(0.5) });

export const square: Row = (call) => {
  const { name } = call.tensor(0);
  return call.model.node('Mul', [name, name]);
};

/** ln(1 + x) */
export const logPlusOne: Row = (call) =>
  call.model.node('Log', call.model.node('Add', [call.tensor(0).name, call.number(1).name]));

/** ln(sigmoid(x)) = -softplus(-x) */
export const logSigmoid: Row = (call) => {
  const { model } = call;
  return model.node('Neg', model.node('Softplus', model.node('Neg', [call.tensor(0).name])));
};

export const reciprocalRoot: Row = (call) =>
  call.model.node('Reciprocal', call.model.node('Sqrt', [call.tensor(0).name]));

export const alongDimension =
  (type: string): Row =>
  (call) => {
    const input = call.tensor(0);
    return call.model.node(type, [input.name], { axis: int(call.dimension(1, 0, input.shape.length)) });
  };

/** Until operator set 18, every reduction but the sum takes its axes as an attribute. */
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
