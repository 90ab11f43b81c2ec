import { isDeepStrictEqual } from 'node:util';
import type { Dtype, Tensor, TypedArray } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { Network } from '../networks/network.js';
import { type OperatorCall, type TracedTensor, traceClassifier } from '../networks/operator-trace.js';
import type { InputShape } from '../space/space.js';
import { ExportedCall, type ExportedTensor } from './exported-call.js';
import { OnnxModel, type Shape } from './onnx-model.js';
import { aliases, onnxOperators } from './onnx-operators.js';

const INPUT = 'image';
const OUTPUT = 'logits';

/**
 * A network as the bytes of an ONNX file, operator set 17, with its weights inside. Input `image`, float32
 * [batch, channels, height, width], and output `logits`; `batch` is any number, the other sizes are those of `shape`.
 * The network is written as it evaluates: without dropout, dropped paths and auxiliary heads, batch norm with its
 * running statistics. Should it decide by the values of an image what it does, then as it decides for zeros.
 *
 * @throws InputError for an operator that ONNX does not have or the exporter does not know, and where what the network
 * does depends on the number of images
 */
export function exportOnnx(network: Network, shape: InputShape): Uint8Array {
  const { calls, outputs } = traceClassifier(network, shape);
  const others = traceAnotherBatch(network, shape);
  if (
    calls.length !== others.length ||
    calls.some(({ operator }, place) => operator !== others[place]?.operator)
  )
    throw new InputError(
      'export to ONNX: the network calls other operators for another number of images; allowed: the same ones',
    );
  const model = new OnnxModel();
  const state = network.stateDict();
  const image: ExportedTensor = {
    name: INPUT,
    shape: [null, shape.channels, shape.height, shape.width],
  };
  /** The results of each call. */
  const results: ExportedTensor[][] = [];
  const exported = (tensor: TracedTensor): ExportedTensor => {
    switch (tensor.from) {
      case 'input':
        return image;
      case 'call':
        return results[tensor.call]?.[tensor.result] as ExportedTensor;
      case 'state': {
        const value = state.get(tensor.name) as Tensor;
        const name = tensor.name === INPUT || tensor.name === OUTPUT ? `/${tensor.name}` : tensor.name;
        if (!model.has(name))
          model.initializer(name, floats(value.toTypedArray(), value.dtype, name), value.shape);
        return { name, shape: value.shape };
      }
      case 'constant': {
        const values = floats(tensor.values, tensor.dtype, 'a constant');
        return { name: model.constant(values, tensor.shape), shape: tensor.shape };
      }
    }
  };
  for (const [place, call] of calls.entries()) {
    const other = others[place] as OperatorCall;
    const where = `export to ONNX: ${call.operator}, call ${place + 1} of the network, with the result [${call.shapes[0]}]`;
    const row = onnxOperators.get(bare(call.operator));
    if (row === undefined)
      throw new InputError(
        `${where}: no such operator here; allowed: ${[...onnxOperators.keys()].sort().join(', ')}`,
      );
    if (isInPlace(call)) checkInPlace(calls, place, where);
    const shapes = call.shapes.map((own, result) => {
      const compared = other.shapes[result];
      if (compared?.length === own.length)
        return own.map((size, dimension) => (size === compared[dimension] ? size : null));
      throw new InputError(`${where}: another number of images changes the number of its dimensions`);
    });
    const batchDependent = new Set(
      [...call.args.keys()].filter(
        (argument) => !isDeepStrictEqual(call.args[argument], other.args[argument]),
      ),
    );
    const exportedCall = new ExportedCall(model, call, shapes, batchDependent, where, exported);
    const names = row(exportedCall);
    exportedCall.finish();
    results.push(names.map((name, result) => ({ name, shape: shapes[result] as Shape })));
  }
  const logits = exported(outputs.logits as TracedTensor);
  return model.write(logits.name, image, { name: OUTPUT, shape: logits.shape });
}

/** `relu_` is `relu`. */
const bare = (operator: string): string => operator.replace(/^aten::|(?<=[a-z0-9])_$/g, '');

const isInPlace = ({ operator }: OperatorCall): boolean => operator.endsWith('_');

/**
 * The calls for no images, which cost nothing and show what depends on their number; for two where a network cannot
 * work on none (`view([N, -1])`).
 */
function traceAnotherBatch(network: Network, shape: InputShape): readonly OperatorCall[] {
  try {
    return traceClassifier(network, shape, 0).calls;
  } catch {
    return traceClassifier(network, shape, 2).calls;
  }
}

/** A model's values never change. What is written in place must be seen by no other name, and not last beyond the call. */
function checkInPlace(calls: readonly OperatorCall[], place: number, where: string): void {
  const target = (calls[place] as OperatorCall).args[0] as TracedTensor;
  if (target.from === 'state' || target.from === 'constant')
    throw new InputError(
      `${where}: it changes ${target.from === 'state' ? target.name : 'a constant'}; allowed: to change results`,
    );
  const made = target.from === 'call' ? calls[target.call] : undefined;
  const isAlias = made !== undefined && aliases.has(bare(made.operator));
  const hasAlias = calls
    .slice(0, place)
    .some(({ operator, args }) => aliases.has(bare(operator)) && isDeepStrictEqual(args[0], target));
  if (isAlias || hasAlias)
    throw new InputError(
      `${where}: it works in place on a tensor that shares its memory with another; allowed: ${bare((calls[place] as OperatorCall).operator)}`,
    );
}

/** Numbers as float32, which is what the models compute with. */
function floats(values: TypedArray, dtype: Dtype, name: string): Float32Array {
  if (values instanceof Float32Array) return values;
  if (dtype === 'float16' || dtype === 'bfloat16')
    throw new InputError(`export to ONNX: ${name} is ${dtype}; allowed: float32, float64 and whole numbers`);
  return Float32Array.from(values as Iterable<number | bigint>, Number);
}
