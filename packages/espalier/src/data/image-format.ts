/** The formats of image files that are decoded. */
export type ImageFormat = 'PNG' | 'JPEG' | 'WebP' | 'GIF' | 'TIFF' | 'BMP' | 'Netpbm';

/** The formats, for messages. */
export const IMAGE_FORMATS = 'PNG, JPEG, WebP, GIF, TIFF, BMP, PPM or PGM';

/** Each format, and whether a file that begins with these bytes, as Latin-1, has it. */
const FORMATS: readonly (readonly [ImageFormat, (start: string) => boolean])[] = [
  ['PNG', (start) => start.startsWith('\x89PNG\r\n\x1a\n')],
  ['JPEG', (start) => start.startsWith('\xff\xd8\xff')],
  ['WebP', (start) => start.startsWith('RIFF') && start.startsWith('WEBP', 8)],
  ['GIF', (start) => start.startsWith('GIF87a') || start.startsWith('GIF89a')],
  // The byte order, and 42; or 43, for files of more than 4 GB.
  ['TIFF', (start) => ['II*\0', 'II+\0', 'MM\0*', 'MM\0+'].includes(start.slice(0, 4))],
  ['Netpbm', (start) => /^P[1-6]\s/.test(start)],
  // The size of the second header tells the versions of BMP apart.
  [
    'BMP',
    (start) =>
      start.startsWith('BM') &&
      [12, 40, 52, 56, 64, 108, 124].some((size) =>
        start.startsWith(`${String.fromCharCode(size)}\0\0\0`, 14),
      ),
  ],
];

/**
 * The format of an image file, by its content; what the file is called does not matter.
 *
 * @param bytes the file, or at least its first 18 bytes
 * @returns undefined for any other format
 */
export function imageFormatOf(bytes: Uint8Array): ImageFormat | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, 18));
  return FORMATS.find(([, matches]) => matches(start))?.[0];
}
