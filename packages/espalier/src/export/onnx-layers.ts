import type { OnnxTensor } from './onnx-call.js';
import { first, float, int, integers, type Row } from './onnx-row.js';

export const batchNorm: Row = (call) => {
  const { model } = call;
  const input = call.tensor(0);
  call.ignore(6, 8);
  if (call.setting(5, false))
    throw call.error(
      'batch norm without running statistics normalises by the batch, which ONNX cannot express',
    );
  const [features] = call.fixed(input.shape.slice(1, 2)) as [number];
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

/**
 * Operator set 17 has no group normalisation, but instance normalisation: of [N, groups, values of a group]. Scale and
 * shift, one for each channel, follow.
 */
export const groupNorm: Row = (call) => {
  const { model } = call;
  const input = call.tensor(0);
  const groups = call.setting(1, 1);
  call.ignore(5);
  const [channels] = call.fixed(input.shape.slice(1, 2)) as [number];
  const filled = (value: number) => model.constant(new Float32Array(groups).fill(value), [groups]);
  // 0 keeps the number of examples.
  const grouped = first(model.node('Reshape', [input.name, integers(call, [0, groups, -1])]));
  const normalised = model.node('InstanceNormalization', [grouped, filled(1), filled(0)], {
    epsilon: float(call.setting(4, 1e-5)),
  });
  const each = (place: number) => {
    const value = call.optionalTensor(place);
    const shape = [channels, ...input.shape.slice(2).map(() => 1)];
    return value && first(model.node('Reshape', [value.name, integers(call, shape)]));
  };
  let result = model.node('Reshape', [first(normalised), integers(call, call.shapeWithOneFree())]);
  const [scale, shift] = [each(2), each(3)];
  if (scale !== undefined) result = model.node('Mul', [first(result), scale]);
  if (shift !== undefined) result = model.node('Add', [first(result), shift]);
  return result;
};

/** A step of an LSTM by its formulas: ONNX's own operator orders the gates in another way and wants whole sequences. */
export const lstmCell: Row = (call) => {
  const { model } = call;
  const [hidden, cell] = call.tensors(1) as readonly [OnnxTensor, OnnxTensor];
  const gatesOf = (input: string, weight: number, bias: number) => {
    const added = call.optionalTensor(bias);
    const operands = [input, call.tensor(weight).name, ...(added === undefined ? [] : [added.name])];
    return first(model.node('Gemm', operands, { transB: int(1) }));
  };
  const gates = model.node('Add', [gatesOf(call.tensor(0).name, 2, 4), gatesOf(hidden.name, 3, 5)]);
  const [input, forget, candidate, output] = model.node('Split', gates, { axis: int(1) }, 4) as [
    string,
    string,
    string,
    string,
  ];
  const applied = (type: string, value: string) => first(model.node(type, [value]));
  const product = (one: string, other: string) => first(model.node('Mul', [one, other]));
  const kept = product(applied('Sigmoid', forget), cell.name);
  const written = product(applied('Sigmoid', input), applied('Tanh', candidate));
  const next = first(model.node('Add', [kept, written]));
  return [product(applied('Sigmoid', output), applied('Tanh', next)), next];
};

/** Rows of a table. The arguments behind the indices matter to gradients only. */
export const embedding: Row = (call) => {
  call.ignore(2, 3, 4);
  const source = call.source(1);
  if (source === 'constant' || source === 'state')
    throw call.error(
      'its indices are constants or parameters, which the file stores as float32; allowed: indices from the input',
    );
  return call.model.node('Gather', [call.tensor(0).name, call.tensor(1).name], { axis: int(0) });
};

export const dropout: Row = (call) => {
  call.ignore(1);
  if (call.setting(2, false)) throw call.error('it drops values though the network is not training');
  return [call.tensor(0).name];
};
