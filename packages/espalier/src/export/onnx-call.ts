import type { TracedTensor } from '../networks/operator-trace.js';
import { CallArguments } from './call-arguments.js';
import type { BatchedCall, Shape } from './exported-trace.js';
import type { OnnxModel } from './onnx-model.js';

/** A tensor of the model: its name there and its shape. */
export interface OnnxTensor {
  readonly name: string;
  readonly shape: Shape;
}

/** A call that is being written to a model. */
export class OnnxCall extends CallArguments<OnnxTensor> {
  constructor(
    readonly model: OnnxModel,
    call: BatchedCall,
    written: (tensor: TracedTensor) => OnnxTensor,
  ) {
    super(call, 'ONNX', written);
  }

  /** An argument that is a tensor or a number, as a tensor. */
  operand(place: number): OnnxTensor {
    return this.source(place) === undefined ? this.number(this.setting(place, 0)) : this.tensor(place);
  }

  /** A number as a tensor without dimensions. */
  number(value: number): OnnxTensor {
    return { name: this.model.constant(Float32Array.of(value), []), shape: [] };
  }
}
