import { z } from 'zod';
import type { ChannelStatistics } from '../../data/channel-statistics.js';
import type { PixelClass } from '../../data/masked-images.js';
import type { SeenSize } from '../../data/shown-pair.js';
import { InputError } from '../../input-error.js';
import type { Json } from '../../json.js';
import type { OpenedMasks } from './open-masks.js';

const byte = z.int().min(0).max(255);

const schema = z.object({
  classes: z.array(z.string()),
  colours: z.array(z.tuple([byte, byte, byte])),
  mean: z.array(z.number()),
  standardDeviation: z.array(z.number()),
  seen: z.union([
    z.strictObject({ scale: z.number().positive() }),
    z.strictObject({ longest: z.int().min(1) }),
  ]),
});

/** What using a trained segmenter takes besides its weights. */
export interface SegmentationSignature {
  /** In the order of the logits. */
  readonly classes: readonly PixelClass[];
  /** By which pixels are standardised. */
  readonly statistics: ChannelStatistics;
  /** The size in which the network sees an image. */
  readonly seen: SeenSize;
}

export function signatureOf({ classes, statistics, train }: OpenedMasks): Record<string, Json> {
  return {
    classes: classes.map(({ name }) => name),
    colours: classes.map(({ colour }) => [...colour]),
    mean: [...statistics.mean],
    standardDeviation: [...statistics.standardDeviation],
    seen: { ...train.seen },
  };
}

/** @throws InputError for something else than `signatureOf` gives */
export function readSignature(signature: Readonly<Record<string, Json>>): SegmentationSignature {
  const parsed = schema.safeParse(signature);
  if (!parsed.success)
    throw new InputError(`not the signature of a segmenter: ${z.prettifyError(parsed.error)}`);
  const { classes, colours, mean, standardDeviation, seen } = parsed.data;
  return {
    classes: classes.map((name, label) => ({ name, colour: colours[label] ?? [0, 0, 0] })),
    statistics: { mean: Float64Array.from(mean), standardDeviation: Float64Array.from(standardDeviation) },
    seen,
  };
}
