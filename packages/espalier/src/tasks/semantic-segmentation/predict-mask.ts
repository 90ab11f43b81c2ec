import { noGrad, scope } from '@espalier/torch';
import { viewImage } from '../../data/decode-image.js';
import { enlarged, factorOf } from '../../data/shown-pair.js';
import { InputError } from '../../input-error.js';
import { resize } from '../../networks/auto-deeplab/resize.js';
import type { Network } from '../../networks/network.js';
import { readImageFile } from '../../prediction/image-file.js';
import type { InputShape } from '../../space/space.js';
import type { PredictionReport, PredictionRequest } from '../task-definition.js';
import { checkPictures, maskPictures } from './mask-pictures.js';
import { ONE_VIEW, segment } from './segment.js';
import { labelsOf } from './segmentation.js';
import { readSignature } from './signature.js';
import { standardised } from './standardised.js';

/** Flags of the command that this task knows. */
interface PredictMaskFlags {
  readonly out?: string;
  readonly scales?: readonly number[];
  readonly flip?: boolean;
  readonly tile?: number;
}

/** The class of each pixel of an image file, in the size of the image; with `--out` as pictures. */
export async function predictMask({
  network,
  input,
  space,
  file,
  signature,
  flags,
}: PredictionRequest<InputShape, Network>): Promise<PredictionReport> {
  if (signature === undefined)
    throw new InputError(
      `${file}: without a training the names and colours of the ${input.classes} classes are unknown; give the folder of a training`,
    );
  const { classes, statistics, seen } = readSignature(signature);
  const { out, scales, flip, tile } = flags as PredictMaskFlags;
  if (out !== undefined) checkPictures(out);
  const image = await readImageFile(file);
  const { height, width } = image;
  const size = enlarged(image, factorOf(seen, image));
  const data =
    size.height === height && size.width === width
      ? image.data
      : await viewImage(image, { resized: size, mirrored: false });
  const labels = scope(() =>
    noGrad(() => {
      const images = standardised(data, [1, size.height, size.width], statistics, 'cpu');
      const logits = segment(network.to({ memoryFormat: 'channels_last' }), images, {
        scales: scales ?? ONE_VIEW.scales,
        flip: flip ?? ONE_VIEW.flip,
        tile: tile ?? ONE_VIEW.tile,
      });
      return labelsOf(resize(logits, [height, width]));
    }),
  );
  const pixels = new Array<number>(classes.length).fill(0);
  for (const label of labels) pixels[label]!++;
  const found = classes
    .map(({ name, colour }, label) => ({ class: name, label, colour, share: pixels[label]! / labels.length }))
    .filter(({ share }) => share > 0)
    .sort((a, b) => b.share - a.share || a.label - b.label);
  return {
    json: { space: space.name, width, height, classes: found },
    lines: [
      file,
      ...found.map(({ class: name, share }) => `  ${(100 * share).toFixed(2).padStart(6)}%  ${name}`),
    ],
    ...(out === undefined ? {} : { files: await maskPictures(out, image, labels, classes) }),
  };
}
