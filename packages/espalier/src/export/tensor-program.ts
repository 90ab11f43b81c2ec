import type { Shape } from './exported-trace.js';
import { dimensions, type ProgramText, shapeOf } from './program-text.js';

/** Names of a network from one tensor to another. */
export interface TensorNames {
  /** Of the input, as the trace and an ONNX file name it: `image`. */
  readonly input: string;
  /** Of a batch of inputs, as the program names its argument: `images`. */
  readonly inputs: string;
  /** `logits` */
  readonly output: string;
}

/** The program of a network that maps one tensor, a batch of inputs, to another. */
export function tensorProgram({ input, inputs, output }: TensorNames): ProgramText {
  return (trace) => {
    const shape = trace.inputs.get(input)?.shape as Shape;
    const does = `${dimensions(shape)} to the ${output} ${dimensions(shapeOf(trace, output))}`;
    return {
      entry: 'forward',
      docstring: `${inputs.charAt(0).toUpperCase()}${inputs.slice(1)} ${does}.`,
      methods: [],
      usage: [`${output} = network(${inputs})  # ${does}`],
      example: [
        `${inputs} = torch.zeros(${shape.map((size) => size ?? 1).join(', ')})`,
        `print(f'{list(${inputs}.shape)} to {list(network(${inputs}).shape)}')`,
      ],
    };
  };
}
