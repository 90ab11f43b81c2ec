import { fromTypedArray, scope, type Tensor } from '@espalier/torch';
import { decodeImage, IMAGE_FORMATS } from '../data/decode-image.js';
import { InputError } from '../input-error.js';

/** The shares of red, green and blue in brightness (ITU-R 601, as Pillow converts to grey). */
const LUMA = [0.299, 0.587, 0.114] as const;

/**
 * An image of a file as Pillow opens it for PyTorch: red, green and blue as they are stored, whatever colour profile,
 * transparency and the orientation in its EXIF data say. Sixteen bits are scaled to eight.
 *
 * @param channels 3 (red, green, blue) or 1 (grey)
 * @returns float32 [1, channels, height, width], whole numbers 0 to 255
 * @throws InputError for a file that is no image, and for other channels
 */
export async function readImage(file: string, channels: number): Promise<Tensor> {
  if (channels !== 1 && channels !== 3)
    throw new InputError(
      `the network reads images of ${channels} channels, and an image file has 1 or 3; ` +
        'give a safetensors file with a float32 tensor instead',
    );
  const { data, width, height } = await decode(file);
  return scope(() => {
    const image = fromTypedArray(data, [1, height, width, 3]).permute([0, 3, 1, 2]).to({ dtype: 'float32' });
    if (channels === 3) return image;
    const [red, green, blue] = image.split(1, 1) as [Tensor, Tensor, Tensor];
    return red.mul(LUMA[0]).add(green.mul(LUMA[1])).add(blue.mul(LUMA[2])).round();
  });
}

async function decode(file: string) {
  try {
    return await decodeImage(file);
  } catch (error) {
    throw new InputError(
      `${file}: ${(error as Error).message}; allowed: an image (${IMAGE_FORMATS}) or a tensor in a .safetensors file`,
    );
  }
}
