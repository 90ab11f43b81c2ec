import { isDeepStrictEqual } from 'node:util';
import type { Dtype, nn, Tensor, TypedArray } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { TracedTensor } from '../networks/operator-trace.js';
import type { ExportMetadata } from './export-metadata.js';
import {
  type BatchedCall,
  bareName,
  checkTarget,
  type FreeSize,
  isInPlace,
  type Shape,
  type TraceOfBatch,
  traceForExport,
} from './exported-trace.js';
import { OnnxCall, type OnnxTensor } from './onnx-call.js';
import { OnnxModel, type OnnxPort } from './onnx-model.js';
import { aliases, onnxOperators } from './onnx-operators.js';

/**
 * A network as the bytes of an ONNX file, operator set 17, with its weights inside. It is written as it evaluates:
 * without dropout, dropped paths and auxiliary heads, batch norm with its running statistics. Should it decide by the
 * values of an image what it does, then as it decides for zeros.
 *
 * A network of images takes `image`, float32 [batch, channels, height, width], and gives `logits`. A language model
 * goes on by one token of each text: from `tokens`, int64 [1, batch], and the state before it, `state.0`, ..., to
 * `logProbabilities` [1, batch, V] and the state after it, `next.0`, .... `batch` is any number, all other sizes are
 * those of the network, but for height and width where `size` makes them free.
 *
 * @param metadata see `OnnxModel.write`
 * @throws InputError for an operator that ONNX does not have or the exporter does not know, and where what the network
 * does depends on the size of the batch
 */
export function exportOnnx(
  network: nn.Module,
  traceOf: TraceOfBatch,
  metadata: ExportMetadata = {},
  size?: FreeSize,
): Uint8Array {
  const { inputs, calls, outputs, dimensionName } = traceForExport(traceOf, 'ONNX', size);
  const named = (shape: Shape, tensor: TracedTensor) =>
    shape.map((length, dimension) => length ?? dimensionName(tensor, dimension));
  const model = new OnnxModel();
  const state = network.stateDict();
  /** The results of each call. */
  const results: OnnxTensor[][] = [];
  const written = (tensor: TracedTensor): OnnxTensor => {
    switch (tensor.from) {
      case 'input':
        return { name: tensor.name, shape: inputs.get(tensor.name)?.shape as Shape };
      case 'call':
        return results[tensor.call]?.[tensor.result] as OnnxTensor;
      case 'state': {
        const value = state.get(tensor.name) as Tensor;
        const name = inputs.has(tensor.name) || outputs.has(tensor.name) ? `/${tensor.name}` : tensor.name;
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
  for (const [place, batched] of calls.entries()) {
    const row = onnxOperators.get(bareName(batched.call.operator));
    if (row === undefined)
      throw new InputError(
        `${batched.where}: no such operator here; allowed: ${[...onnxOperators.keys()].sort().join(', ')}`,
      );
    checkTarget(batched);
    if (isInPlace(batched.call)) checkAliases(calls, place);
    const call = new OnnxCall(model, batched, written);
    const names = row(call);
    call.finish();
    results.push(names.map((name, result) => ({ name, shape: batched.shapes[result] as Shape })));
  }
  return model.write(
    [...inputs].map(([name, { dtype, shape }]) => ({
      name,
      shape: named(shape, { from: 'input', name }),
      dtype: portDtype(name, dtype),
    })),
    [...outputs].map(([name, tensor]) => {
      const { name: value, shape } = written(tensor);
      return { name, shape: named(shape, tensor), value, dtype: 'float32' };
    }),
    metadata,
  );
}

function portDtype(name: string, dtype: Dtype): OnnxPort['dtype'] {
  if (dtype === 'float32' || dtype === 'int64') return dtype;
  throw new InputError(`export to ONNX: the input ${name} is ${dtype}; allowed: float32 and int64`);
}

/** A model's values never change: what is written in place must be seen by no other name. */
function checkAliases(calls: readonly BatchedCall[], place: number): void {
  const { call, where } = calls[place] as BatchedCall;
  const target = call.args[0] as TracedTensor;
  const made = target.from === 'call' ? calls[target.call] : undefined;
  const isAlias = made !== undefined && aliases.has(bareName(made.call.operator));
  const hasAlias = calls
    .slice(0, place)
    .some(
      (earlier) =>
        aliases.has(bareName(earlier.call.operator)) && isDeepStrictEqual(earlier.call.args[0], target),
    );
  if (isAlias || hasAlias)
    throw new InputError(
      `${where}: it works in place on a tensor that shares its memory with another; allowed: ${bareName(call.operator)}`,
    );
}

/** Numbers as float32, which is what the models compute with. */
function floats(values: TypedArray, dtype: Dtype, name: string): Float32Array {
  if (values instanceof Float32Array) return values;
  if (dtype === 'float16' || dtype === 'bfloat16')
    throw new InputError(`export to ONNX: ${name} is ${dtype}; allowed: float32, float64 and whole numbers`);
  return Float32Array.from(values as Iterable<number | bigint>, Number);
}
