import { cat } from '../operators.generated.js';
import type { Tensor } from '../tensor.js';
import type { BatchNormLayer } from './layers.js';

/** The batch norms of a kernel call, as the kernel takes them; tensors are handles. */
interface NormArguments {
  /** The learned scale and shift of each norm; empty where they have none. */
  readonly gamma: readonly number[];
  readonly beta: readonly number[];
  /** Mean, variance and number of batches of each norm, which the kernel updates; empty in evaluation or where none are kept. */
  readonly running: readonly number[];
  readonly momentum: number;
  readonly epsilon: number;
}

const isAffine = (norm: BatchNormLayer) => norm.weight !== undefined;
const keepsStatistics = (norm: BatchNormLayer) => norm.running_mean !== undefined;

/** What a kernel call has only one of for all its norms, by name. */
const common = Object.entries<(norm: BatchNormLayer) => unknown>({
  training: ({ training }) => training,
  epsilon: ({ epsilon }) => epsilon,
  momentum: ({ momentum }) => momentum,
  'having a weight and a bias': isAffine,
  'keeping running statistics': keepsStatistics,
});

/**
 * Checks that batch norms can share a kernel call, and hands them to it.
 *
 * @param kernel its name, for messages
 * @throws RangeError where there are no norms, or where they differ in what a call has only one of
 */
export function normArguments(kernel: string, norms: readonly BatchNormLayer[]): NormArguments {
  const first = norms[0];
  if (first === undefined) throw new RangeError(`${kernel}: there is no batch norm; allowed: at least one`);
  for (const [index, norm] of norms.entries()) {
    if (index > 0) checkAlike(kernel, first, norm, index);
    if (isAffine(norm) !== (norm.bias !== undefined))
      throw new RangeError(
        `${kernel}: batch norm ${index} has a weight or a bias alone; allowed: both or neither`,
      );
    if (
      keepsStatistics(norm) !== (norm.running_var !== undefined) ||
      keepsStatistics(norm) !== (norm.num_batches_tracked !== undefined)
    )
      throw new RangeError(
        `${kernel}: batch norm ${index} has some of running_mean, running_var and num_batches_tracked; allowed: all or none`,
      );
  }
  const { momentum, epsilon } = first;
  const affine = isAffine(first);
  return {
    gamma: affine ? norms.map(({ weight }) => (weight as Tensor).handle) : [],
    beta: affine ? norms.map(({ bias }) => (bias as Tensor).handle) : [],
    running:
      first.training && keepsStatistics(first)
        ? norms.flatMap(({ running_mean, running_var, num_batches_tracked }) =>
            [running_mean, running_var, num_batches_tracked].map((statistic) => (statistic as Tensor).handle),
          )
        : [],
    momentum,
    epsilon,
  };
}

function checkAlike(kernel: string, first: BatchNormLayer, norm: BatchNormLayer, index: number): void {
  for (const [name, of] of common)
    if (of(norm) !== of(first))
      throw new RangeError(
        `${kernel}: batch norms of one call differ in ${name}: ${of(first)} (number 0), ${of(norm)} (number ${index}); allowed: one value for all`,
      );
}

/** The same for norms without learned scale and shift. */
export function plainNormArguments(kernel: string, norms: readonly BatchNormLayer[]): NormArguments {
  const result = normArguments(kernel, norms);
  if (result.gamma.length > 0)
    throw new RangeError(`${kernel}: a batch norm has a weight and a bias; allowed: neither (affine: false)`);
  return result;
}

/**
 * Scale and shift of batch norms in evaluation, from their running statistics: those of each norm in turn.
 *
 * @param kernel its name, for messages
 * @param values what they normalise
 * @param norms as `normArguments` accepts them
 * @param sharing how many of them share the channels of the values: all, or 1 where each normalises all channels
 * @returns undefined in training, and where no statistics are kept
 * @throws RangeError where a tensor of a norm does not have the shape [channels] and the type of the values
 */
export function scaleAndShift(
  kernel: string,
  values: Tensor,
  norms: readonly BatchNormLayer[],
  sharing: number = norms.length,
): readonly [scale: Tensor, shift: Tensor] | undefined {
  const [first] = norms;
  if (first === undefined || first.training || first.running_mean === undefined) return undefined;
  const { dtype, shape } = values;
  const channels = (shape[1] as number) / sharing;
  const joined = (name: 'weight' | 'bias' | 'running_mean' | 'running_var') => {
    const tensors = norms.map((norm) => norm[name] as Tensor);
    for (const tensor of tensors)
      if (tensor.dtype !== dtype || tensor.shape.length !== 1 || tensor.shape[0] !== channels)
        throw new RangeError(
          `${kernel}: ${name} is ${tensor.dtype} [${tensor.shape}]; allowed: ${dtype} [${channels}]`,
        );
    return tensors.length === 1 ? (tensors[0] as Tensor) : cat(tensors);
  };
  const inverse = joined('running_var').add(first.epsilon).rsqrt();
  const scale = first.weight === undefined ? inverse : inverse.mul(joined('weight'));
  const centre = joined('running_mean').mul(scale);
  return [scale, first.bias === undefined ? centre.neg() : joined('bias').sub(centre)];
}
