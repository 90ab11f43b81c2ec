import { z } from 'zod';
import type { ChannelStatistics } from '../../data/channel-statistics.js';
import { InputError } from '../../input-error.js';
import type { Json } from '../../json.js';
import type { OpenedImages } from './open-images.js';

const schema = z.object({
  classes: z.array(z.string()),
  mean: z.array(z.number()),
  standardDeviation: z.array(z.number()),
  resized: z.boolean(),
});

/** What using a trained classifier takes besides its weights. */
export interface ImageSignature {
  /** The names of the classes, in the order of the logits. */
  readonly classes: readonly string[];
  /** Statistics of the training images, by which pixels are standardised. */
  readonly statistics: ChannelStatistics;
  /** Whether images of any size are resized and cropped for the network. */
  readonly resized: boolean;
}

export function signatureOf({ classes, statistics, resized }: OpenedImages): Record<string, Json> {
  return {
    classes: [...classes],
    mean: [...statistics.mean],
    standardDeviation: [...statistics.standardDeviation],
    resized,
  };
}

/** @throws InputError for something else than `signatureOf` gives */
export function readSignature(signature: Readonly<Record<string, Json>>): ImageSignature {
  const parsed = schema.safeParse(signature);
  if (!parsed.success)
    throw new InputError(`not the signature of a classifier: ${z.prettifyError(parsed.error)}`);
  const { classes, mean, standardDeviation, resized } = parsed.data;
  return {
    classes,
    statistics: { mean: Float64Array.from(mean), standardDeviation: Float64Array.from(standardDeviation) },
    resized,
  };
}
