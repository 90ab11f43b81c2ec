import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../src/data/decode-image.js';
import { imageFormatOf } from '../../src/data/image-format.js';
import { suiteFolder } from '../cli/suite-folder.js';

/** A file, and what Pillow makes of it unless it refuses the file (fixtures/make-image-files.py). */
interface Entry {
  readonly file: string;
  readonly width?: number;
  readonly height?: number;
  readonly pixels?: string;
}

const entries = Object.entries(
  JSON.parse(readFileSync(new URL('fixtures/image-files.json', import.meta.url), 'utf8')) as Record<
    string,
    Entry
  >,
);
const bytesOf = (base64: string) => Buffer.from(base64, 'base64');
const fixture = (name: string) => bytesOf(Object.fromEntries(entries)[name]!.file);

const folder = suiteFolder();
function written(name: string, content: string | Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

/** The files that libjpeg decodes with warnings. */
const DAMAGED = [
  ...['cmyk-transform-1.jpg', 'cmyk-transform-7.jpg', 'jfif-0.jpg', 'jfif-3.jpg', 'junk-before-tables.jpg'],
  ...['junk-before-scan.jpg', 'scan-parameters.jpg', 'stray-restart.jpg', 'data-missing.jpg'],
  'scans-missing.jpg',
];
const ALLOWED = 'expected an image (PNG, JPEG, WebP, GIF, TIFF, BMP, PPM or PGM)';

describe('an image file', () => {
  it.each(entries.filter(([, { pixels }]) => pixels !== undefined))(
    'has the pixels that Pillow converts to RGB: %s',
    async (name, { file, width, height, pixels }) => {
      const { data, ...image } = await decodeImage(written(name, bytesOf(file)));
      expect(image).toEqual({ width, height, damaged: DAMAGED.includes(name) });
      expect([...data]).toEqual([...bytesOf(pixels!)]);
    },
  );

  it.each(entries.filter(([, { pixels }]) => pixels === undefined))(
    'is refused if Pillow refuses it: %s',
    async (name, { file }) => {
      await expect(decodeImage(written(name, bytesOf(file)))).rejects.toThrow(
        /^is a damaged or incomplete (PNG|JPEG|WebP|GIF|TIFF|BMP|Netpbm) file/,
      );
    },
  );

  it('of pure CMYK blue is blue, whatever the profile says', async () => {
    const { data } = await decodeImage(written('blue.jpg', fixture('cmyk-blue.jpg')));
    expect([...data.subarray(0, 3)]).toEqual([20, 30, 200]);
  });

  it('has the format of its content, whatever it is called', async () => {
    const { data } = await decodeImage(written('jpeg.png', fixture('plain.jpg')));
    expect(data).toHaveLength(13 * 11 * 3);
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>';
    const pixel = sharp({ create: { width: 2, height: 2, channels: 3, background: '#123' } });
    for (const [name, content] of [
      ['svg.png', svg],
      ['svg-with-header.png', `<?xml version="1.0"?>\n${svg}`],
      ['avif.png', await pixel.avif().toBuffer()],
      ['pdf.jpg', '%PDF-1.4\n1 0 obj'],
      ['text.ppm', 'P7 is the number of a house'],
      ['text.bmp', 'BM is how a text may begin'],
      ['web-page.jpg', '<!doctype html><title>404</title>'],
    ] as const)
      await expect(decodeImage(written(name, content)), name).rejects.toThrow(
        new Error(`has no known image format; ${ALLOWED}`),
      );
  });

  it('is refused if it is empty, missing or a folder', async () => {
    mkdirSync(join(folder, 'folder.png'));
    await expect(decodeImage(written('empty.png', ''))).rejects.toThrow(new Error(`is empty; ${ALLOWED}`));
    await expect(decodeImage(join(folder, 'nowhere.png'))).rejects.toThrow(`does not exist; ${ALLOWED}`);
    await expect(decodeImage(join(folder, 'folder.png'))).rejects.toThrow(`is a folder; ${ALLOWED}`);
  });

  it('is refused before it is decoded if it has more pixels than Pillow allows', async () => {
    const png = fixture('plain.png');
    png.writeUInt32BE(16_000, 16);
    png.writeUInt32BE(16_000, 20);
    const bmp = fixture('24.bmp');
    bmp.writeInt32LE(16_000, 18);
    bmp.writeInt32LE(16_000, 22);
    for (const [name, content] of [
      ['large.png', withChecksum(png)],
      ['large.bmp', bmp],
      ['large.ppm', 'P6 16000 16000 255 '],
    ] as const)
      await expect(decodeImage(written(name, content)), name).rejects.toThrow(
        new Error('has 16000 x 16000 pixels; at most 178,956,970 pixels are decoded'),
      );
  });

  it('gives the same result and the same reason, whatever is decoded at the same time', async () => {
    const names = [
      'plain.jpg',
      'cut.jpg',
      'jfif-0.jpg',
      'cut-plain.png',
      'data-missing.jpg',
      'begun-twice.jpg',
    ];
    const files = names.map((name) => written(`together-${name}`, fixture(name)));
    const outcome = (file: string) =>
      decodeImage(file).then(
        ({ damaged }) => damaged,
        (error: Error) => error.message,
      );
    const rounds = await Promise.all(
      Array.from({ length: 20 }, () => Promise.all(files.map((file) => outcome(file)))),
    );
    for (const round of rounds)
      expect(round).toEqual([
        false,
        'is a damaged or incomplete JPEG file',
        true,
        'is a damaged or incomplete PNG file',
        true,
        'is a damaged or incomplete JPEG file',
      ]);
  });
});

describe('the format of an image file', () => {
  it('is seen in its first 18 bytes', () => {
    const formatOf = (name: string) => imageFormatOf(fixture(name).subarray(0, 18));
    expect(
      ['plain.png', 'plain.jpg', 'plain.webp', 'plain.gif', 'plain.tif', '24.bmp', 'text.pgm'].map(formatOf),
    ).toEqual(['PNG', 'JPEG', 'WebP', 'GIF', 'TIFF', 'BMP', 'Netpbm']);
    expect(imageFormatOf(fixture('24.bmp').subarray(0, 14))).toBeUndefined();
    expect(imageFormatOf(new Uint8Array(0))).toBeUndefined();
  });
});

/** Mends the checksum of a PNG file's first chunk. */
function withChecksum(png: Buffer): Buffer {
  let crc = 0xffffffff;
  for (const byte of png.subarray(12, 29)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  png.writeUInt32BE(~crc >>> 0, 29);
  return png;
}
