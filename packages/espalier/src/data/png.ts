import { inflateSync } from 'node:zlib';
import { checkSize, DamagedImage } from './decoded-image.js';

/** One number a pixel: what a mask stores, before anything says what it means. */
export interface IndexImage {
  /** [height, width] */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** A file is sound, but it is no image of one number a pixel. */
export class NoIndexImage extends Error {}

const SIGNATURE = 8;
const GREY = 0;
const PALETTE = 3;
const COLOUR_TYPES: Readonly<Record<number, string>> = {
  2: 'red, green and blue',
  4: 'grey and transparency',
  6: 'red, green, blue and transparency',
};

/**
 * Decodes a PNG to the numbers that it stores, one a pixel: the grey values, or the indices into the palette, which image
 * libraries replace by its colours.
 *
 * @throws NoIndexImage for a file with several numbers a pixel, with 16 bits a pixel, or interlaced; DamagedImage
 */
export function decodeIndexPng(bytes: Uint8Array): IndexImage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  let header: { width: number; height: number; depth: number } | undefined;
  for (let at = SIGNATURE; ; ) {
    if (at + 12 > bytes.length) throw new DamagedImage('it ends too early');
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const chunk = bytes.subarray(at + 8, at + 8 + length);
    if (at + 12 + length > bytes.length) throw new DamagedImage('it ends too early');
    at += 12 + length;
    if (type === 'IHDR') header = readHeader(chunk);
    else if (type === 'IDAT') parts.push(chunk);
    else if (type === 'IEND') break;
  }
  if (header === undefined) throw new DamagedImage('it has no header');
  const { width, height, depth } = header;
  let raw: Uint8Array;
  try {
    raw = inflateSync(Buffer.concat(parts));
  } catch {
    throw new DamagedImage('its pixels cannot be unpacked');
  }
  const rowBytes = Math.ceil((width * depth) / 8);
  if (raw.length < height * (rowBytes + 1)) throw new DamagedImage('it ends too early');
  const rows = unfiltered(raw, height, rowBytes);
  return { data: depth === 8 ? rows : unpacked(rows, width, height, depth), width, height };
}

function readHeader(chunk: Uint8Array): { width: number; height: number; depth: number } {
  if (chunk.length < 13) throw new DamagedImage('it has no header');
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, colourType, interlaced] = [view.getUint8(8), view.getUint8(9), view.getUint8(12)];
  checkSize(width, height);
  if (colourType !== GREY && colourType !== PALETTE)
    throw new NoIndexImage(
      `stores ${COLOUR_TYPES[colourType] ?? `colours of type ${colourType}`} of each pixel`,
    );
  if (![1, 2, 4, 8].includes(depth)) throw new NoIndexImage(`stores ${depth} bits of each pixel`);
  if (interlaced !== 0) throw new NoIndexImage('is interlaced');
  return { width, height, depth };
}

/** The size that the header of a PNG file declares, in pixels. */
export function pngSize(bytes: Uint8Array): { width: number; height: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { width: view.getUint32(SIGNATURE + 8), height: view.getUint32(SIGNATURE + 12) };
}

/** Undoes the filters of the rows (PNG specification, section 9), whose units are bytes for at most 8 bits a pixel. */
function unfiltered(raw: Uint8Array, height: number, rowBytes: number): Uint8Array {
  const rows = new Uint8Array(height * rowBytes);
  let above = new Uint8Array(rowBytes);
  for (let y = 0; y < height; y++) {
    const from = y * (rowBytes + 1);
    const undo = FILTERS[raw[from] as number];
    if (undo === undefined) throw new DamagedImage(`a row has the filter ${raw[from]}`);
    const row = rows.subarray(y * rowBytes, (y + 1) * rowBytes);
    row.set(raw.subarray(from + 1, from + 1 + rowBytes));
    undo(row, above);
    above = row;
  }
  return rows;
}

/** Adds to each byte of a row what its filter had predicted from the bytes at the left and above. */
const FILTERS: readonly ((row: Uint8Array, above: Uint8Array) => void)[] = [
  () => {},
  (row) => {
    for (let x = 1; x < row.length; x++) row[x]! += row[x - 1]!;
  },
  (row, above) => {
    for (let x = 0; x < row.length; x++) row[x]! += above[x]!;
  },
  (row, above) => {
    for (let x = 0; x < row.length; x++) row[x]! += ((x > 0 ? row[x - 1]! : 0) + above[x]!) >> 1;
  },
  (row, above) => {
    let [left, corner] = [0, 0];
    for (let x = 0; x < row.length; x++) {
      const up = above[x]!;
      left = row[x]! += paeth(left, up, corner);
      left &= 0xff;
      corner = up;
    }
  },
];

/** Of three neighbours the one that is nearest to left + above - corner. */
function paeth(left: number, above: number, corner: number): number {
  const a = Math.abs(above - corner);
  const b = Math.abs(left - corner);
  const c = Math.abs(left + above - 2 * corner);
  if (a <= b && a <= c) return left;
  return b <= c ? above : corner;
}

/** One byte a pixel, from rows with several pixels a byte, the first in the highest bits. */
function unpacked(rows: Uint8Array, width: number, height: number, depth: number): Uint8Array {
  const data = new Uint8Array(width * height);
  const perByte = 8 / depth;
  const rowBytes = Math.ceil(width / perByte);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const byte = rows[y * rowBytes + Math.floor(x / perByte)] as number;
      data[y * width + x] = (byte >> (8 - depth * ((x % perByte) + 1))) & (2 ** depth - 1);
    }
  return data;
}
