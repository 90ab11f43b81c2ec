import { scope } from '@espalier/torch';
import { InputError } from '../../input-error.js';
import type { Network } from '../../networks/network.js';
import { readImageFile } from '../../prediction/image-file.js';
import type { InputShape } from '../../space/space.js';
import type { PredictionReport, PredictionRequest } from '../task-definition.js';
import { checkPictures, maskPictures } from './mask-pictures.js';
import { readSignature } from './signature.js';
import { standardised } from './standardised.js';

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
  const { classes, statistics } = readSignature(signature);
  const out = flags.out as string | undefined;
  if (out !== undefined) checkPictures(out);
  const image = await readImageFile(file);
  const { height, width, data } = image;
  const labels = scope(() => {
    const images = standardised(data, [1, height, width], statistics, 'cpu');
    const logits = network.to({ memoryFormat: 'channels_last' }).forward(images);
    return logits.argmax(1).to({ dtype: 'uint8' }).contiguous().toTypedArray() as Uint8Array;
  });
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
