import type { nn } from '@espalier/torch';
import type { z } from 'zod';
import type { ProgramText } from '../export/program-text.js';
import type { OperatorTrace } from '../networks/operator-trace.js';
import type { TrainingStep } from '../profiling/training-step.js';
import type { Space } from '../space/space.js';
import type { SharesWeights } from '../supernets/supernet.js';

/**
 * What networks read and give: images to logits, tokens to logits and a state, rows to numbers. Whatever looks at a
 * network without data (`inspect`, `export`, the profile) asks its kind.
 *
 * @typeParam Input what a network is built for
 * @typeParam Model the network itself
 */
export interface NetworkKind<Input extends object, Model extends nn.Module> {
  /** What a space says in `reads`. */
  readonly reads: string;
  /** Where no data tells what to build a network for: the input that networks of a space are published for. */
  usualInput(space: Space): Input;
  /**
   * What `--set input.KEY=VALUE` may change of the input, each key optional and with a description. Numbers with a
   * flag of their own on the command line are in `flags`.
   */
  readonly inputOptions: z.ZodObject;
  /** Flags of the command line by the keys of the input that they set: `{ imageSize: ['height', 'width'] }`. */
  readonly flags: Readonly<Record<string, readonly string[]>>;
  /**
   * The key of the input that says how many outputs a network has: `classes`. The layers that depend on it are its
   * classifier. Missing: the networks have none.
   */
  readonly outputs?: string;
  /** `image (3 x 32 x 32)`. */
  describeInput(input: Input): string;
  /** The network of an architecture. @throws InputError where the space builds none, or one of another kind */
  build(space: Space, architecture: unknown, input: Input): Model;
  /**
   * The supernet of a space.
   *
   * @param options those of `supernetOptions` of the space that are not as by default
   * @throws InputError where the space has none, or one of another kind, and for its options
   */
  buildSupernet(space: Space, input: Input, options?: object): Model & SharesWeights;
  /** The operators that a network calls for a batch of zeros, in evaluation. */
  trace(network: Model, input: Input, batch?: number): OperatorTrace;
  /**
   * The same with the maps of a `Backbone` as further outputs, `features.4` to `features.32` by their strides. Missing: such
   * networks have no maps.
   *
   * @param space its name, for messages
   * @throws InputError for a network that gives no maps, or none of these strides
   */
  traceWithFeatures?(network: Model, input: Input, space: string, batch?: number): OperatorTrace;
  /** How many dimensions of a result are the batch's: 1 of images, 2 of texts. */
  readonly batchDimensions: number;
  /**
   * The first node of a picture that shows a network layer by layer, where a space has no picture of its own. Missing:
   * such networks are not drawn.
   */
  readonly drawnInput?: (input: Input) => { readonly label: string; readonly shape: readonly number[] };
  /** A step of training on random data, for profiles. */
  trainingStep(network: Model, input: Input, batchSize: number): TrainingStep;
  /** `16 images`, `texts of 35 tokens`. */
  describeBatch(batchSize: number): string;
  /** What an exported PyTorch program says and does around the network. */
  readonly program: ProgramText;
}

// biome-ignore lint/suspicious/noExplicitAny: a list of kinds does not know their inputs and models
export type AnyNetworkKind = NetworkKind<any, any>;
