import type { DecodedImage } from './decoded-image.js';

/** A PNG file of an image. */
export async function encodePng({ data, width, height }: DecodedImage): Promise<Buffer> {
  const sharp = (await import('sharp')).default;
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}
