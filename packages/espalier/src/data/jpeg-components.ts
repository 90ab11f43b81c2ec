const PREFIX = 0xff;
const FIRST_FRAME = 0xc0;
const LAST_FRAME = 0xcf;
/** Markers in the range of the frames that stand for something else: tables, an extension, arithmetic coding. */
const NO_FRAMES = [0xc4, 0xc8, 0xcc];
const SCAN = 0xda;

/**
 * The number of colour components that the header of a JPEG file declares: 1 grey, 3 colour, 4 CMYK or YCCK. Bytes
 * between the segments are skipped, as libjpeg skips them.
 *
 * @returns undefined where the file has no frame header
 */
export function jpegComponents(bytes: Uint8Array): number | undefined {
  for (let at = 2; at < bytes.length; ) {
    while (at < bytes.length && bytes[at] !== PREFIX) at++;
    while (bytes[at] === PREFIX) at++;
    const marker = bytes[at++];
    if (marker === undefined || marker === SCAN) return undefined;
    if (marker === 0) continue;
    if (marker >= FIRST_FRAME && marker <= LAST_FRAME && !NO_FRAMES.includes(marker)) return bytes[at + 7];
    at += 256 * (bytes[at] ?? 0) + (bytes[at + 1] ?? 0);
  }
  return undefined;
}
