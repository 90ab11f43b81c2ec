import { scope, type Tensor } from '@espalier/torch';
import type { ChannelStatistics } from '../../data/channel-statistics.js';
import { usualStatistics } from '../../data/usual-statistics.js';
import { EVALUATION_MARGIN } from '../../data/view.js';
import { InputError } from '../../input-error.js';
import type { Network } from '../../networks/network.js';
import { classify } from '../../prediction/classify.js';
import { evaluationView } from '../../prediction/evaluation-view.js';
import { readImage } from '../../prediction/image-file.js';
import { isTensorFile, readInputTensor } from '../../prediction/input-tensor.js';
import { rankedLines } from '../../prediction/ranked-lines.js';
import type { InputShape, Space } from '../../space/space.js';
import type { PredictionReport, PredictionRequest } from '../task-definition.js';
import { type ImageSignature, readSignature } from './signature.js';

const TENSORS = new Map([
  [3, '[C, H, W]'],
  [4, '[N, C, H, W]'],
]);

/** The classes of an image file, or of a tensor of images. */
export async function predictClasses(
  request: PredictionRequest<InputShape, Network>,
): Promise<PredictionReport> {
  const { network, input, space, file, flags } = request;
  const signature = request.signature === undefined ? undefined : readSignature(request.signature);
  const { images, standardised } = await readImages(file, flags, space, input, signature);
  const prediction = scope(() => classify(network.to({ memoryFormat: 'channels_last' }), images, input));
  // Names of other classes than the network's would be wrong.
  const names = signature?.classes.length === input.classes ? signature.classes : undefined;
  const nameOf = (label: number) => names?.[label] ?? `class ${label}`;
  return {
    json: {
      space: space.name,
      input,
      ...(standardised === undefined ? {} : { standardised }),
      ...prediction,
      ...(names === undefined ? {} : { names }),
    },
    notes:
      standardised === undefined
        ? []
        : [
            `pixels standardised by mean ${standardised.mean.join(', ')} and standard deviation ` +
              `${standardised.std.join(', ')} (from ${standardised.of})`,
          ],
    lines: [...prediction.classes.keys()].flatMap((index) => [
      prediction.classes.length === 1 ? file : `${file}, image ${index}`,
      ...rankedLines(prediction, index, nameOf),
    ]),
  };
}

interface Standardisation {
  /** Where they come from. */
  readonly of: string;
  readonly mean: number[];
  readonly std: number[];
}

/** The input as the network reads it, [N, channels, height, width], and how an image file was standardised. */
async function readImages(
  file: string,
  { mean, std }: Readonly<Record<string, unknown>>,
  space: Space,
  input: InputShape,
  signature: ImageSignature | undefined,
): Promise<{ images: Tensor; standardised?: Standardisation }> {
  if (isTensorFile(file)) {
    for (const [flag, value] of [
      ['--mean', mean],
      ['--std', std],
    ])
      if (value !== undefined)
        throw new InputError(`${flag} ${value}: the tensor of ${file} is read as it is`);
    return { images: readTensor(file, input) };
  }
  const statistics = statisticsFor({ mean, std } as StatisticsFlags, space, input.channels, signature);
  // A training whose images have the size of the network tests on them unchanged.
  const resizes = signature?.resized ?? space.options.layout === 'imagenet';
  const margin = resizes ? EVALUATION_MARGIN : 1;
  const images = evaluationView(await readImage(file, input.channels), { ...input, margin }, statistics);
  return {
    images,
    standardised: {
      of: statistics.of,
      mean: [...statistics.mean],
      std: [...statistics.standardDeviation],
    },
  };
}

function readTensor(file: string, { channels, height, width }: InputShape): Tensor {
  const tensor = readInputTensor(file, 'float32', TENSORS);
  const images = tensor.shape.length === 3 ? tensor.unsqueeze(0) : tensor;
  if (images.shape.slice(1).join() !== [channels, height, width].join() || images.size === 0)
    throw new InputError(
      `${file}: its tensor is [${tensor.shape}]; the network reads images [${channels}, ${height}, ${width}]: ` +
        'see --layout, --image-size and --image-channels',
    );
  return images;
}

/** Numbers that pixels are standardised by, one a channel, for pixels scaled to [0, 1]. */
interface StatisticsFlags {
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
}

/**
 * The statistics of the flags, of the training, or of the data set that networks of the space are published for.
 *
 * @returns also whose they are
 * @throws InputError for flags that do not fit the channels, and where no statistics are known
 */
function statisticsFor(
  { mean, std }: StatisticsFlags,
  space: Space,
  channels: number,
  signature: ImageSignature | undefined,
): ChannelStatistics & { readonly of: string } {
  if (mean !== undefined || std !== undefined) {
    const standardDeviation = perChannel('--std', std, channels);
    const zero = standardDeviation.findIndex((value) => value <= 0);
    if (zero >= 0) throw new InputError(`--std ${std}: number ${zero + 1} is not above 0`);
    return { of: '--mean and --std', mean: perChannel('--mean', mean, channels), standardDeviation };
  }
  const found =
    signature === undefined
      ? usualStatistics(space.options.layout === 'imagenet' ? 'imagenet' : 'cifar')
      : { of: 'the training', ...signature.statistics };
  if (found.mean.length !== channels)
    throw new InputError(
      `images of ${channels} channels, but the statistics of ${found.of} are of ${found.mean.length}: give --mean and --std`,
    );
  return found;
}

function perChannel(flag: string, values: readonly number[] | undefined, channels: number): Float64Array {
  if (values === undefined) throw new InputError(`${flag} is missing: --mean and --std go together`);
  if (values.length !== channels)
    throw new InputError(
      `${flag} ${values}: ${values.length} numbers; the network's images have ${channels} channels, a number each`,
    );
  return Float64Array.from(values);
}
