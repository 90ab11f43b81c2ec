import { cast, first, type Row } from './onnx-row.js';

/**
 * A comparison of a tensor with another one or with a number. Every tensor of a model is float32, so its result is 1
 * and 0; what reads it as a mask casts it back to bool.
 */
export const comparison =
  (type: string): Row =>
  (call) => {
    const compared = first(call.model.node(type, [call.operand(0).name, call.operand(1).name]));
    return [cast(call, compared, 'float32')];
  };

/** ONNX has no operator for inequality. */
export const unequal: Row = (call) => {
  const { model } = call;
  const equal = first(model.node('Equal', [call.operand(0).name, call.operand(1).name]));
  return [cast(call, first(model.node('Not', [equal])), 'float32')];
};

/** The second argument where the first one, a mask, holds, else the third. */
export const where: Row = (call) =>
  call.model.node('Where', [
    cast(call, call.tensor(0).name, 'bool'),
    call.operand(1).name,
    call.operand(2).name,
  ]);

/** A number where the mask holds, else the tensor's own values. */
export const maskedFill: Row = (call) =>
  call.model.node('Where', [
    cast(call, call.tensor(1).name, 'bool'),
    call.number(call.setting(2, 0)).name,
    call.tensor(0).name,
  ]);
