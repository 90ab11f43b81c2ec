import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeMask, maskLabels } from '../../src/data/mask-file.js';
import { decodeIndexPng } from '../../src/data/png.js';
import { indexedPng } from './indexed-png.js';

const INDICES = [
  [0, 1, 2, 3, 1, 0, 2],
  [3, 3, 2, 0, 0, 1, 1],
  [2, 0, 1, 3, 2, 2, 0],
  [1, 1, 1, 0, 3, 2, 3],
  [0, 2, 0, 1, 0, 3, 1],
];

describe('a PNG of one number a pixel', () => {
  it.each([2, 4, 8])('is decoded to the indices of its palette, %i bits a pixel', (depth) => {
    for (const filters of [[0], [1], [2], [3], [4], [0, 1, 2, 3, 4]]) {
      const { data, width, height } = decodeIndexPng(indexedPng(INDICES, { depth, filters }));
      expect([width, height]).toEqual([7, 5]);
      expect([...data]).toEqual(INDICES.flat());
    }
  });

  it('is decoded with one bit a pixel, whose rows end within a byte', () => {
    const bits = INDICES.map((row) => [...row, ...row].map((index) => index % 2));
    expect([...decodeIndexPng(indexedPng(bits, { depth: 1 })).data]).toEqual(bits.flat());
  });

  it('is decoded to the grey values as they are, as another program writes them', async () => {
    const values = Uint8Array.from({ length: 64 * 48 }, (_, i) => (i * i) % 251);
    const bytes = await sharp(values, { raw: { width: 64, height: 48, channels: 1 } })
      .toColourspace('b-w')
      .png({ adaptiveFiltering: true })
      .toBuffer();
    expect(Buffer.from(decodeIndexPng(bytes).data).equals(Buffer.from(values))).toBe(true);
  });
});

const labels = maskLabels(
  (value) => (value < 2 ? value : value === 3 ? 255 : undefined),
  '0, 1, and 3 for void',
);

describe('a mask', () => {
  it('has the class of each number, and what is ignored', () => {
    expect([...decodeMask(indexedPng([[0, 1, 3]]), labels).data]).toEqual([0, 1, 255]);
  });

  it('is refused for a number that its data does not have, with its place', () => {
    expect(() =>
      decodeMask(
        indexedPng([
          [0, 1, 3],
          [1, 2, 0],
        ]),
        labels,
      ),
    ).toThrow(/^the pixel at column 1, row 1 has the label 2; allowed: 0, 1, and 3 for void$/);
  });

  it.each<[what: string, bytes: () => Uint8Array | Promise<Uint8Array>, message: RegExp]>([
    ['nothing', () => Buffer.alloc(0), /^is empty; expected a mask: a PNG/],
    ['a text', () => Buffer.from('mask'), /^is no image; expected a mask/],
    [
      'a JPEG',
      () =>
        sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
          .jpeg()
          .toBuffer(),
      /^is of the format JPEG; expected a mask/,
    ],
    [
      'colours',
      () =>
        sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
          .png()
          .toBuffer(),
      /^stores red, green and blue of each pixel; expected a mask/,
    ],
    ['16 bits', () => indexedPng([[0, 1]], { depth: 16, colourType: 0 }), /^stores 16 bits of each pixel/],
    ['an interlaced image', () => indexedPng([[0]], { interlaced: 1 }), /^is interlaced; expected a mask/],
    [
      'half a file',
      () => indexedPng([[0, 1]]).subarray(0, 60),
      /^is a damaged or incomplete PNG file: it ends too early/,
    ],
    [
      'a file without its last row',
      () => {
        const bytes = indexedPng([[0, 1]]);
        // The header says three rows.
        bytes.writeUInt32BE(3, 20);
        return bytes;
      },
      /^is a damaged or incomplete PNG file: it ends too early/,
    ],
  ])('is no %s', async (_, bytes, message) => {
    const given = await bytes();
    expect(() => decodeMask(given, labels)).toThrow(message);
  });
});
