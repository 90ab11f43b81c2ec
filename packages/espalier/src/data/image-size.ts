import { closeSync, openSync, readSync } from 'node:fs';
import { imageFormatOf } from './image-format.js';
import { jpegFrame } from './jpeg-components.js';
import { pngSize } from './png.js';
import type { Size } from './view.js';

/** Headers are within the first bytes, unless a JPEG begins with a large picture of itself. */
const HEADER = 1 << 16;

/** The size that the header of a PNG or JPEG file declares; undefined of other formats and where it cannot be read. */
export function declaredSize(path: string): Size | undefined {
  const bytes = Buffer.alloc(HEADER);
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const header = bytes.subarray(0, readSync(file, bytes, 0, HEADER, 0));
    const format = imageFormatOf(header);
    if (format === 'PNG' && header.length >= 24) return pngSize(header);
    if (format !== 'JPEG') return undefined;
    const frame = jpegFrame(header);
    return frame === undefined ? undefined : { width: frame.width, height: frame.height };
  } finally {
    closeSync(file);
  }
}
