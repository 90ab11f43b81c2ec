import { first, float, int, ints, type Row } from './onnx-row.js';

export const batchNorm: Row = (call) => {
  const { model } = call;
  const input = call.tensor(0);
  call.ignore(6, 8);
  if (call.setting(5, false))
    throw call.error(
      'batch norm without running statistics normalises by the batch; ONNX has it for one only',
    );
  const [features] = call.fixed(input.shape, 1) as [number];
  const filled = (value: number) => model.constant(new Float32Array(features).fill(value), [features]);
  const scale = call.optionalTensor(1)?.name ?? filled(1);
  const shift = call.optionalTensor(2)?.name ?? filled(0);
  return model.node(
    'BatchNormalization',
    [input.name, scale, shift, call.tensor(3).name, call.tensor(4).name],
    { epsilon: float(call.setting(7, 1e-5)) },
  );
};

export const layerNorm: Row = (call) => {
  const { model } = call;
  const input = call.tensor(0);
  const normalized = call.list(1) ?? [];
  call.ignore(5);
  const rank = input.shape.length;
  const count = normalized.reduce((product, size) => product * size, 1);
  const scale = call.optionalTensor(2)?.name ?? model.constant(new Float32Array(count).fill(1), normalized);
  const shift = call.optionalTensor(3);
  return model.node('LayerNormalization', [input.name, scale, ...(shift === undefined ? [] : [shift.name])], {
    axis: int(rank - normalized.length),
    epsilon: float(call.setting(4, 1e-5)),
  });
};

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

/** Rows of a table; what is given beside them matters to gradients only. */
export const embedding: Row = (call) => {
  call.ignore(2, 3, 4);
  const source = call.source(1);
  if (source === 'constant' || source === 'state')
    throw call.error('the rows that it looks up are its own numbers, which the file has as float32 only');
  return call.model.node('Gather', [call.tensor(0).name, call.tensor(1).name], { axis: int(0) });
};

export const dropout: Row = (call) => {
  call.ignore(1);
  if (call.setting(2, false)) throw call.error('it drops values though the network is not training');
  return [call.tensor(0).name];
};
