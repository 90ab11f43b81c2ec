const PREFIX = 0xff;
const FIRST_FRAME = 0xc0;
const LAST_FRAME = 0xcf;
/** Markers in the range of the frames that stand for something else: tables, an extension, arithmetic coding. */
const NO_FRAMES = [0xc4, 0xc8, 0xcc];
const SCAN = 0xda;

/** What the header of a JPEG file declares. */
interface JpegFrame {
  /** 1 grey, 3 colour, 4 CMYK or YCCK. */
  readonly components: number;
  readonly width: number;
  readonly height: number;
}

/** The number of colour components that the header of a JPEG file declares; undefined where it has none. */
export function jpegComponents(bytes: Uint8Array): number | undefined {
  return jpegFrame(bytes)?.components;
}

/**
 * The header of the first frame of a JPEG file. Bytes between the segments are skipped, as libjpeg skips them.
 *
 * @returns undefined where the file has no frame header
 */
export function jpegFrame(bytes: Uint8Array): JpegFrame | undefined {
  for (let at = 2; at < bytes.length; ) {
    while (at < bytes.length && bytes[at] !== PREFIX) at++;
    while (bytes[at] === PREFIX) at++;
    const marker = bytes[at++];
    if (marker === undefined || marker === SCAN) return undefined;
    if (marker === 0) continue;
    if (marker >= FIRST_FRAME && marker <= LAST_FRAME && !NO_FRAMES.includes(marker)) {
      if (at + 7 >= bytes.length) return undefined;
      const number = (place: number) => 256 * (bytes[place] as number) + (bytes[place + 1] as number);
      return { height: number(at + 3), width: number(at + 5), components: bytes[at + 7] as number };
    }
    at += 256 * (bytes[at] ?? 0) + (bytes[at + 1] ?? 0);
  }
  return undefined;
}
