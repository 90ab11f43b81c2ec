import { type ImageFormat, imageFormatOf } from './image-format.js';
import { jpegComponents } from './jpeg-components.js';

/** The signature of a PNG file and its first chunk. */
const PNG_HEADER = 33;

/**
 * What the first bytes of a file show to be wrong with it as an image, as the end of a sentence that begins with its path.
 * The pixels can still be damaged.
 *
 * @param bytes the whole file
 */
export function faultOf(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return 'is empty';
  const format = imageFormatOf(bytes);
  if (format === undefined) return 'has no known image format';
  const hasHeader =
    format === 'JPEG' ? jpegComponents(bytes) !== undefined : format !== 'PNG' || bytes.length >= PNG_HEADER;
  return hasHeader ? undefined : damaged(format);
}

/** The same for a file that begins as one of a format and cannot be decoded. */
export function damaged(format: ImageFormat): string {
  return `is a damaged or incomplete ${format} file`;
}
