import { type nn, noGrad, randn, scope, type Tensor, zeros } from '@espalier/torch';
import { z } from 'zod';
import { type TensorNames, tensorProgram } from '../export/tensor-program.js';
import { buildNetwork, type LayerForm } from '../networks/build-network.js';
import { traceOperators } from '../networks/operator-trace.js';
import type { Space } from '../space/space.js';
import { buildSupernet } from '../supernets/build-supernet.js';
import type { NetworkKind } from './network-kind.js';

/** What a kind of networks from one tensor to another has to say of itself. */
export interface TensorKind<Input extends object> extends LayerForm {
  readonly names: TensorNames;
  /** Sizes of one input, without the batch: `[features]`, `[channels, height, width]`. */
  shape(input: Input): readonly number[];
  /** Where no data tells what to build a network for. */
  usualInput(space: Space): Input;
  /** Keys of the input that `--set input.KEY=VALUE` may change; none by default. */
  readonly inputOptions?: z.ZodObject;
  readonly flags?: Readonly<Record<string, readonly string[]>>;
  /** The key of the input that says how many outputs a network has. */
  readonly outputs?: keyof Input & string;
  /**
   * The loss of a step on random inputs, for profiles. By default the mean square of what the network gives.
   *
   * @param output the shape of what the network gives for the batch
   */
  randomLoss?(output: readonly number[], input: Input): RandomLoss;
}

interface RandomLoss {
  loss(given: Tensor): Tensor;
  free(): void;
}

/** Networks from one float tensor, a batch of inputs, to one tensor: images to logits, rows to numbers. */
export function tensorKind<Input extends object>(kind: TensorKind<Input>): NetworkKind<Input, nn.Layer> {
  const { names, reads } = kind;
  return {
    reads,
    usualInput: kind.usualInput,
    inputOptions: kind.inputOptions ?? z.strictObject({}),
    flags: kind.flags ?? {},
    ...(kind.outputs === undefined ? {} : { outputs: kind.outputs }),
    describeInput: (input) => `${names.input} (${kind.shape(input).join(' x ')})`,
    build: (space, architecture, input) => buildNetwork(space, architecture, input, kind),
    buildSupernet: (space, input, options) => buildSupernet(space, input, options, reads),
    trace(network, input, batch = 1) {
      const device = network.parameters()[0]?.device;
      return traceOperators<string>(
        network,
        () => ({ [names.input]: zeros([batch, ...kind.shape(input)], { dtype: 'float32', device }) }),
        (given) => ({ [names.output]: network.forward(given[names.input] as Tensor) }),
      );
    },
    batchDimensions: 1,
    drawnInput: (input) => ({ label: names.input, shape: kind.shape(input) }),
    trainingStep(network, input, batchSize) {
      network.to({ memoryFormat: 'channels_last' });
      const shape = kind.shape(input);
      const output = scope(() =>
        noGrad(() =>
          network
            .eval()
            .forward(zeros([1, ...shape]))
            .shape.slice(1),
        ),
      );
      const { loss, free } = (kind.randomLoss ?? meanSquare)([batchSize, ...output], input);
      const batch = scope(() => {
        const random = randn([batchSize, ...shape]);
        return (shape.length === 3 ? random.to({ memoryFormat: 'channels_last' }) : random).keep();
      });
      return {
        network,
        loss: () => loss(network.forward(batch)),
        free() {
          batch.free();
          free();
        },
      };
    },
    describeBatch: (count) => (count === 1 ? names.input : names.inputs),
    program: tensorProgram(names),
  };
}

const meanSquare = (): RandomLoss => ({ loss: (given) => given.mul(given).mean(), free() {} });
