/** An image as red, green and blue bytes. */
export interface DecodedImage {
  /** [height, width, 3] */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** A file says it is an image, but it breaks the rules of its format or ends too early. */
export class DamagedImage extends Error {}

/** A file has more pixels than are decoded. */
export class OversizedImage extends Error {}

/**
 * The most pixels an image may have. Pillow refuses larger ones too (twice its `MAX_IMAGE_PIXELS`): a file of a few
 * megabytes can fill the memory.
 */
export const MOST_PIXELS = 178_956_970;

/** @throws DamagedImage for an image without a pixel, OversizedImage for one with more than `MOST_PIXELS` */
export function checkSize(width: number, height: number): void {
  if (!(width > 0 && height > 0)) throw new DamagedImage('the image has no pixels');
  if (width * height > MOST_PIXELS)
    throw new OversizedImage(
      `has ${width} x ${height} pixels; at most ${MOST_PIXELS.toLocaleString('en')} pixels are decoded`,
    );
}
