import { fromTypedArray, scope, type Tensor } from '@espalier/torch';
import { warnOfDamage } from '../data/damage-warning.js';
import { decodeImage } from '../data/decode-image.js';
import type { DecodedImage } from '../data/decoded-image.js';
import { greyOf } from '../data/grey.js';
import { IMAGE_FORMATS } from '../data/image-format.js';
import { InputError } from '../input-error.js';

/**
 * Reads an image file as Pillow opens it for PyTorch: see `decodeImage`. Grey is ITU-R 601 brightness, as by Pillow's
 * `convert('L')`. Warns of a damaged file that could be decoded.
 *
 * @param channels 3 (red, green, blue) or 1 (grey)
 * @returns uint8 [1, channels, height, width], channels last in memory
 * @throws InputError for a file that cannot be decoded, for one with more pixels than Pillow allows (178,956,970), and for
 *   another number of channels
 */
export async function readImage(file: string, channels: number): Promise<Tensor> {
  if (channels !== 1 && channels !== 3)
    throw new InputError(
      `the network reads images of ${channels} channels, and an image file has 1 or 3; ` +
        'give a safetensors file with a float32 tensor instead',
    );
  const { data, width, height } = await readImageFile(
    file,
    `an image (${IMAGE_FORMATS}) or a tensor in a .safetensors file`,
  );
  const pixels = channels === 3 ? data : greyOf(data);
  return scope(() => fromTypedArray(pixels, [1, height, width, channels]).permute([0, 3, 1, 2]));
}

/**
 * The same as bytes [height, width, 3].
 *
 * @param wanted for messages
 */
export async function readImageFile(
  file: string,
  wanted = `an image (${IMAGE_FORMATS})`,
): Promise<DecodedImage> {
  try {
    const image = await decodeImage(file, wanted);
    if (image.damaged) warnOfDamage(file);
    return image;
  } catch (error) {
    throw new InputError(`${file}: ${(error as Error).message}`);
  }
}
