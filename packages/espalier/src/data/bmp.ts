import { checkSize, DamagedImage, type DecodedImage } from './decoded-image.js';

/** Length of a BMP file's first header; the second says the rest. */
const FILE_HEADER = 14;
/** Where the masks of bit fields are: behind the fields of the header of 40 bytes, whatever its real size. */
const MASKS = FILE_HEADER + 40;

const COMPRESSION = { none: 0, runs8: 1, runs4: 2, bitFields: 3 } as const;

interface Header {
  readonly width: number;
  readonly height: number;
  /** The first row of the file is the lowest one of the image. */
  readonly upward: boolean;
  readonly bits: number;
  readonly compression: number;
  /** Where the palette begins, how many bytes an entry has, and how many entries. */
  readonly palette: { readonly at: number; readonly entry: 3 | 4; readonly count: number };
  /** Where the pixels begin. */
  readonly pixels: number;
}

/**
 * Decodes a BMP file as Pillow does: 1, 4 or 8 bits with a palette, plain or as runs; 16, 24 or 32 bits, with bit
 * fields or without. Transparency is ignored.
 *
 * @throws DamagedImage, OversizedImage
 */
export function decodeBmp(bytes: Uint8Array): DecodedImage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = readHeader(view);
  const { width, height } = header;
  checkSize(width, height);
  const data = header.bits <= 8 ? readIndexed(view, bytes, header) : readColours(view, bytes, header);
  return { data, width, height };
}

function readHeader(view: DataView): Header {
  const need = (length: number) => {
    if (view.byteLength < length) throw new DamagedImage('the file ends too early');
  };
  need(FILE_HEADER + 12);
  const size = view.getUint32(FILE_HEADER, true);
  const at = FILE_HEADER + size;
  const pixels = view.getUint32(10, true) || at;
  if (size === 12) {
    const bits = checkBits(view.getUint16(24, true));
    return {
      width: view.getUint16(18, true),
      height: view.getUint16(20, true),
      upward: true,
      bits,
      compression: COMPRESSION.none,
      palette: { at, entry: 3, count: bits <= 8 ? 2 ** bits : 0 },
      pixels,
    };
  }
  need(at);
  const height = view.getInt32(22, true);
  const bits = checkBits(view.getUint16(28, true));
  const declared = view.getUint32(46, true);
  const count = bits <= 8 ? (declared === 0 ? 2 ** bits : declared) : 0;
  return {
    width: view.getInt32(18, true),
    height: Math.abs(height),
    upward: height > 0,
    bits,
    compression: view.getUint32(30, true),
    palette: { at, entry: 4, count },
    // Some writers give the palette's place as that of the pixels.
    pixels: bits <= 8 && pixels === at ? at + 4 * count : pixels,
  };
}

function checkBits(bits: number): number {
  if (![1, 4, 8, 16, 24, 32].includes(bits)) throw new DamagedImage(`${bits} bits a pixel are not allowed`);
  return bits;
}

/** Rows of a file begin at multiples of four bytes. */
function strideOf({ width, bits }: Header): number {
  return 4 * Math.ceil((width * bits) / 32);
}

function readIndexed(view: DataView, bytes: Uint8Array, header: Header): Uint8Array {
  const { width, height, upward, palette } = header;
  if (palette.count > 65536 || palette.at + palette.count * palette.entry > view.byteLength)
    throw new DamagedImage('the palette is malformed');
  const indices = readIndices(bytes, header);
  const data = new Uint8Array(3 * width * height);
  for (let row = 0; row < height; row++) {
    let to = 3 * width * (upward ? height - 1 - row : row);
    for (let from = row * width; from < (row + 1) * width; from++, to += 3) {
      const index = indices[from]!;
      // Without an entry an index is a grey, as in Pillow's palettes.
      const colour = palette.at + palette.entry * index;
      for (let c = 0; c < 3; c++) data[to + c] = index < palette.count ? bytes[colour + 2 - c]! : index;
    }
  }
  return data;
}

/** [height, width], with the rows in the order of the file. */
function readIndices(bytes: Uint8Array, header: Header): Uint8Array {
  const { width, height, bits, compression, pixels } = header;
  if (compression === COMPRESSION.runs8 && bits === 8) return readRuns(bytes, header, 8);
  if (compression === COMPRESSION.runs4 && bits === 4) return readRuns(bytes, header, 4);
  if (compression !== COMPRESSION.none) throw new DamagedImage(`the compression ${compression} is not known`);
  const stride = strideOf(header);
  if (bytes.length - pixels < stride * height) throw new DamagedImage('the file ends too early');
  const indices = new Uint8Array(width * height);
  const perByte = 8 / bits;
  for (let row = 0; row < height; row++)
    for (let x = 0; x < width; x++) {
      const byte = bytes[pixels + row * stride + Math.floor(x / perByte)]!;
      indices[row * width + x] = (byte >> (8 - bits * ((x % perByte) + 1))) & (2 ** bits - 1);
    }
  return indices;
}

/** Pixels as runs of equal ones, with pixels as they are and jumps between them; what is jumped over has index 0. */
function readRuns(bytes: Uint8Array, { width, height, pixels }: Header, bits: 4 | 8): Uint8Array {
  const indices = new Uint8Array(width * height);
  let at = pixels;
  let x = 0;
  let row = 0;
  const next = () => {
    const byte = bytes[at++];
    if (byte === undefined) throw new DamagedImage('the file ends too early');
    return byte;
  };
  const put = (index: number) => {
    if (x < width && row < height) indices[row * width + x] = index;
    x++;
  };
  /** `count` pixels; `byteOf` gives the byte that holds pixel i, or with four bits pixels i and i + 1. */
  const fill = (count: number, byteOf: () => number) => {
    for (let i = 0, byte = 0; i < count; i++) {
      if (bits === 8 || i % 2 === 0) byte = byteOf();
      put(bits === 8 ? byte : i % 2 === 0 ? byte >> 4 : byte & 15);
    }
  };
  // A file may leave out the mark of its end.
  while (row < height && !(row === height - 1 && x >= width)) {
    const count = next();
    const value = next();
    if (count > 0) {
      fill(count, () => value);
    } else if (value === 0) {
      x = 0;
      row++;
    } else if (value === 1) {
      break;
    } else if (value === 2) {
      x += next();
      row += next();
    } else {
      const start = at;
      fill(value, next);
      at += (at - start) % 2;
    }
  }
  return indices;
}

/** A channel of a pixel: its bits, and the value that means 255. */
interface Channel {
  readonly shift: number;
  readonly most: number;
}

function readColours(view: DataView, bytes: Uint8Array, header: Header): Uint8Array {
  const { width, height, upward, bits, pixels } = header;
  const channels = channelsOf(view, header);
  const stride = strideOf(header);
  if (bytes.length - pixels < stride * height) throw new DamagedImage('the file ends too early');
  const data = new Uint8Array(3 * width * height);
  for (let row = 0; row < height; row++) {
    let to = 3 * width * (upward ? height - 1 - row : row);
    let from = pixels + row * stride;
    for (let x = 0; x < width; x++, from += bits / 8) {
      const pixel =
        bits === 16
          ? view.getUint16(from, true)
          : bits === 24
            ? bytes[from]! | (bytes[from + 1]! << 8) | (bytes[from + 2]! << 16)
            : view.getUint32(from, true);
      for (const { shift, most } of channels)
        data[to++] = Math.floor((((pixel >>> shift) & most) * 255) / most);
    }
  }
  return data;
}

const FIVE_BITS: readonly number[] = [0x7c00, 0x3e0, 0x1f];
const EIGHT_BITS: readonly number[] = [0xff0000, 0xff00, 0xff];

/** Red, green and blue. */
function channelsOf(view: DataView, { bits, compression }: Header): Channel[] {
  const usual = bits === 16 ? FIVE_BITS : EIGHT_BITS;
  if (compression === COMPRESSION.none) return usual.map(channelOf);
  if (compression !== COMPRESSION.bitFields)
    throw new DamagedImage(`the compression ${compression} is not known`);
  if (view.byteLength < MASKS + 12) throw new DamagedImage('the file ends too early');
  const masks = [0, 4, 8].map((offset) => view.getUint32(MASKS + offset, true));
  return (masks.every((mask) => mask === 0) ? usual : masks).map(channelOf);
}

function channelOf(mask: number): Channel {
  const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
  const most = mask >>> shift;
  if (most === 0 || (most & (most + 1)) !== 0 || most > 0xffffff)
    throw new DamagedImage('the bit fields are malformed');
  return { shift, most };
}
