import { readFile } from 'node:fs/promises';
import type { SharpOptions } from 'sharp';
import { decodeBmp } from './bmp.js';
import { cmykToRgb } from './cmyk.js';
import { reasonOf } from './data-file.js';
import { checkSize, DamagedImage, type DecodedImage, MOST_PIXELS, OversizedImage } from './decoded-image.js';
import { IMAGE_FORMATS, type ImageFormat, imageFormatOf } from './image-format.js';
import { damaged, faultOf } from './image-header.js';
import { jpegComponents } from './jpeg-components.js';
import { decodeNetpbm } from './netpbm.js';
import type { View } from './view.js';

/** The image of a file. */
interface FileImage extends DecodedImage {
  /** Whether the file breaks the rules of its format, so that the decoder gave warnings. */
  readonly damaged: boolean;
}

/**
 * Decodes an image file as Pillow does for PyTorch: to the red, green and blue that the file stores, without its colour
 * profile, its transparency and the orientation in its EXIF data. CMYK becomes RGB by Pillow's formula. Sixteen bits are
 * scaled to eight. The content of the file decides on the format, not the name.
 *
 * A damaged file is decoded if the library of its format decodes all of it with warnings only, as Pillow does. A file
 * that ends too early is refused.
 *
 * @param wanted for messages: what the file should be
 * @throws Error with the reason in one line, without the path; always the same for the same file
 */
export async function decodeImage(file: string, wanted = `an image (${IMAGE_FORMATS})`): Promise<FileImage> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new Error(`${reasonOf(error)}; expected ${wanted}`);
  });
  const format = imageFormatOf(bytes);
  if (format === undefined) throw new Error(`${faultOf(bytes)}; expected ${wanted}`);
  try {
    if (format === 'BMP') return { ...decodeBmp(bytes), damaged: false };
    if (format === 'Netpbm') return { ...decodeNetpbm(bytes), damaged: false };
    return await decodeBySharp(bytes, format);
  } catch (error) {
    if (error instanceof OversizedImage) throw error;
    // Messages of libvips are not passed on: they can quote any other file that is decoded at the same time.
    const detail = error instanceof DamagedImage ? `: ${error.message}` : '';
    throw new Error(`${damaged(format)}${detail}`);
  }
}

type Strictness = NonNullable<SharpOptions['failOn']>;

async function decodeBySharp(bytes: Buffer, format: ImageFormat): Promise<FileImage> {
  try {
    return { ...(await decodeOnce(bytes, format, 'warning')), damaged: false };
  } catch {
    try {
      return { ...(await decodeOnce(bytes, format, 'error')), damaged: true };
    } catch (error) {
      const sharp = await loadSharp();
      const { width, height } = await sharp(bytes, { limitInputPixels: false }).metadata();
      checkSize(width, height);
      throw error;
    }
  }
}

async function decodeOnce(bytes: Buffer, format: ImageFormat, failOn: Strictness): Promise<DecodedImage> {
  const sharp = await loadSharp();
  const image = sharp(bytes, { ignoreIcc: true, failOn, limitInputPixels: MOST_PIXELS });
  const isCmyk =
    format === 'JPEG'
      ? jpegComponents(bytes) === 4
      : format === 'TIFF' && (await image.metadata()).space === 'cmyk';
  const pixels = isCmyk
    ? image.removeAlpha().pipelineColourspace('cmyk').toColourspace('cmyk')
    : image.removeAlpha().toColourspace('srgb');
  const { data, info } = await pixels.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  return { data: isCmyk ? cmykToRgb(data) : data, width: info.width, height: info.height };
}

/**
 * What a view shows of an image, by antialiased bilinear interpolation. Pillow's values differ by one or two of 255 where
 * the image gets smaller, and by up to seven where it gets larger.
 *
 * @returns bytes [height, width, 3] of the view's crop, or of the resized image without one
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

/** Loads sharp on first use, so that commands without image files do not wait for it. */
const loadSharp = async () => (await import('sharp')).default;
