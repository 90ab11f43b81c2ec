import { checkSize, DamagedImage, type DecodedImage } from './decoded-image.js';

/** Greatest value of a sample that a file may declare. */
const MOST_MAXIMUM = 65535;
/** Pillow's limit too. */
const LONGEST_TOKEN = 10;

const isSpace = (byte: number) => byte === 32 || (byte >= 9 && byte <= 13);
const isLineEnd = (byte: number) => byte === 10 || byte === 13;
const HASH = 35;

/**
 * Decodes a Netpbm file as Pillow does: bitmap, grey or colour (PBM, PGM, PPM), as text or binary (P1 to P6). Samples
 * are scaled from the file's maximum to 255, also those of 16 bits. Of several images in a file, the first counts.
 *
 * @throws DamagedImage, OversizedImage
 */
export function decodeNetpbm(bytes: Uint8Array): DecodedImage {
  const kind = bytes[1]! - 48;
  const tokens = new Tokens(bytes, 2);
  const width = tokens.number();
  const height = tokens.number();
  const isBitmap = kind === 1 || kind === 4;
  const maximum = isBitmap ? 1 : tokens.number();
  if (maximum < 1 || maximum > MOST_MAXIMUM) throw new DamagedImage(`the maximum ${maximum} is out of range`);
  checkSize(width, height);
  const channels = kind === 3 || kind === 6 ? 3 : 1;
  const count = width * height * channels;
  const samples =
    kind === 1
      ? readDigits(tokens, count)
      : kind === 4
        ? readBits(bytes, tokens.position, width, height)
        : kind < 4
          ? readText(tokens, count, maximum)
          : readBinary(bytes, tokens.position, count, maximum);
  return { data: channels === 3 ? samples : tripled(samples), width, height };
}

/** The words of a file, without its comments. */
class Tokens {
  /** Behind the last token and the one byte of white space that ends it. */
  position: number;

  constructor(
    private readonly bytes: Uint8Array,
    start: number,
  ) {
    this.position = start;
  }

  /** @returns the byte at the position, without comments; undefined at the end */
  byte(): number | undefined {
    const { bytes } = this;
    while (bytes[this.position] === HASH) {
      while (this.position < bytes.length && !isLineEnd(bytes[this.position]!)) this.position++;
      this.position++;
    }
    return bytes[this.position++];
  }

  /** The next whole number. */
  number(): number {
    let byte = this.byte();
    while (byte !== undefined && isSpace(byte)) byte = this.byte();
    let value = 0;
    let length = 0;
    for (; byte !== undefined && !isSpace(byte); byte = this.byte()) {
      if (byte < 48 || byte > 57 || ++length > LONGEST_TOKEN) throw new DamagedImage('a number is malformed');
      value = 10 * value + byte - 48;
    }
    if (length === 0) throw new DamagedImage('the file ends too early');
    return value;
  }
}

/** Bits as text, with or without white space between them; 1 is black. */
function readDigits(tokens: Tokens, count: number): Uint8Array {
  const samples = new Uint8Array(count);
  for (let i = 0; i < count; ) {
    const byte = tokens.byte();
    if (byte === undefined) throw new DamagedImage('the file ends too early');
    if (isSpace(byte)) continue;
    if (byte !== 48 && byte !== 49) throw new DamagedImage('a bit is neither 0 nor 1');
    samples[i++] = byte === 48 ? 255 : 0;
  }
  return samples;
}

/** Packed bits, with whole bytes a row; 1 is black. */
function readBits(bytes: Uint8Array, start: number, width: number, height: number): Uint8Array {
  const stride = Math.ceil(width / 8);
  if (bytes.length - start < stride * height) throw new DamagedImage('the file ends too early');
  const samples = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const byte = bytes[start + y * stride + (x >> 3)]!;
      samples[y * width + x] = (byte >> (7 - (x & 7))) & 1 ? 0 : 255;
    }
  return samples;
}

function readText(tokens: Tokens, count: number, maximum: number): Uint8Array {
  const scaled = scaleOf(maximum);
  const samples = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const value = tokens.number();
    if (value > maximum) throw new DamagedImage(`the sample ${value} exceeds the maximum ${maximum}`);
    samples[i] = scaled[value]!;
  }
  return samples;
}

/** One byte a sample, or two (big-endian) where the maximum needs them. */
function readBinary(bytes: Uint8Array, start: number, count: number, maximum: number): Uint8Array {
  const size = maximum < 256 ? 1 : 2;
  if (bytes.length - start < count * size) throw new DamagedImage('the file ends too early');
  if (maximum === 255) return bytes.slice(start, start + count);
  const scaled = scaleOf(maximum);
  return Uint8Array.from({ length: count }, (_, i) => {
    const at = start + i * size;
    const value = size === 1 ? bytes[at]! : 256 * bytes[at]! + bytes[at + 1]!;
    return scaled[Math.min(value, maximum)]!;
  });
}

/** [maximum + 1]: the byte for each sample; halves are rounded to even, as Python does. */
function scaleOf(maximum: number): Uint8Array {
  return Uint8Array.from({ length: maximum + 1 }, (_, sample) => {
    const value = (sample / maximum) * 255;
    const floor = Math.floor(value);
    return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
  });
}

function tripled(grey: Uint8Array): Uint8Array {
  const data = new Uint8Array(3 * grey.length);
  for (let i = 0; i < grey.length; i++) data.fill(grey[i]!, 3 * i, 3 * i + 3);
  return data;
}
