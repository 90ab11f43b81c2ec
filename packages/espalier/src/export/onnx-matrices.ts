import { first, float, int, integer, ints, type Row } from './onnx-row.js';

/** input weight^T + bias over the last dimension. */
export const linear: Row = (call) => {
  const { model } = call;
  const input = call.tensor(0);
  const weight = call.tensor(1);
  const bias = call.optionalTensor(2);
  const rest = bias === undefined ? [] : [bias.name];
  if (input.shape.length === 2)
    return model.node('Gemm', [input.name, weight.name, ...rest], { transB: int(1) });
  const transposed = first(model.node('Transpose', [weight.name], { perm: ints([1, 0]) }));
  const product = model.node('MatMul', [input.name, transposed]);
  return bias === undefined ? product : model.node('Add', [first(product), bias.name]);
};

/** beta times the first matrix plus alpha times the product of the other two. */
export const addmm: Row = (call) => {
  const [added, left, right] = [call.tensor(0).name, call.tensor(1).name, call.tensor(2).name];
  return call.model.node('Gemm', [left, right, added], {
    beta: float(call.setting(3, 1)),
    alpha: float(call.setting(4, 1)),
  });
};

/** The same for batches of matrices, for which ONNX has no single operator. */
export const baddbmm: Row = (call) => {
  const { model } = call;
  const scaled = (name: string, factor: number) =>
    factor === 1 ? name : first(model.node('Mul', [name, call.number(factor).name]));
  const added = scaled(call.tensor(0).name, call.setting(3, 1));
  const product = first(model.node('MatMul', [call.tensor(1).name, call.tensor(2).name]));
  return model.node('Add', [added, scaled(product, call.setting(4, 1))]);
};

/** The part of each matrix on one side of a diagonal; zeros elsewhere. */
export const triangle =
  (side: 'upper' | 'lower'): Row =>
  (call) =>
    call.model.node('Trilu', [call.tensor(0).name, integer(call, call.setting(1, 0))], {
      upper: int(side === 'upper' ? 1 : 0),
    });
