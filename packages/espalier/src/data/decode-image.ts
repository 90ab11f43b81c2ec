import type { View } from './view.js';

/** Pixels [height, width, 3] of red, green and blue, bytes. */
export interface DecodedImage {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** The formats of image files, for messages. */
export const IMAGE_FORMATS = 'PNG, JPEG, WebP, GIF, TIFF';

/**
 * An image file as Pillow opens it for PyTorch: red, green and blue as they are stored, whatever colour profile,
 * transparency and the orientation in its EXIF data say. Sixteen bits are scaled to eight.
 *
 * @throws Error with the reason in one line, without the path
 */
export async function decodeImage(file: string): Promise<DecodedImage> {
  const sharp = await loadSharp();
  try {
    const { data, info } = await sharp(file, { ignoreIcc: true })
      .removeAlpha()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height };
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new Error(reason?.replace(`: ${file}`, ''));
  }
}

/**
 * What a view shows of an image, by antialiased bilinear interpolation. Pillow's differs by one or two of 255 where the
 * image gets smaller, and by up to seven where it gets larger.
 *
 * @returns bytes [height, width, 3] of the view's crop, or of what it is resized to
 */
export async function viewImage(
  { data, width, height }: DecodedImage,
  { part, resized, crop, mirrored }: View,
): Promise<Uint8Array> {
  const sharp = await loadSharp();
  let image = sharp(data, { raw: { width, height, channels: 3 } });
  if (part !== undefined) image = image.extract(part);
  image = image.resize({ ...resized, fit: 'fill', kernel: 'linear' });
  if (crop !== undefined) image = image.extract(crop);
  if (mirrored) image = image.flop();
  return image.raw().toBuffer();
}

/** Loaded late, so that no command without image files pays for it. */
const loadSharp = async () => (await import('sharp')).default;
