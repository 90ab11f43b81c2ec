import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

/** A PNG of indices into a palette, `depth` bits a pixel, whose rows have the filters in turn. */
export function indexedPng(
  indices: readonly (readonly number[])[],
  { depth = 8, filters = [0], interlaced = 0, colourType = 3 } = {},
): Buffer {
  const width = indices[0]!.length;
  const rowBytes = Math.ceil((width * depth) / 8);
  const packed = indices.map((row) => {
    const bytes = new Uint8Array(rowBytes);
    for (const [x, index] of row.entries())
      bytes[Math.floor((x * depth) / 8)]! |= index << (8 - depth - ((x * depth) % 8));
    return bytes;
  });
  const rows = packed.map((row, y) => {
    const filter = filters[y % filters.length]!;
    const at = (line: Uint8Array | undefined, x: number) => line?.[x] ?? 0;
    return [
      filter,
      ...row.map((value, x) => {
        const [left, above, corner] = [at(row, x - 1), at(packed[y - 1], x), at(packed[y - 1], x - 1)];
        const guess = left + above - corner;
        const nearest = [left, above, corner].toSorted(
          (a, b) => Math.abs(guess - a) - Math.abs(guess - b),
        )[0]!;
        return value - [0, left, above, Math.floor((left + above) / 2), nearest][filter]!;
      }),
    ];
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(indices.length, 4);
  header.set([depth, colourType, 0, 0, interlaced], 8);
  const palette = Buffer.from(Array.from({ length: 256 * 3 }, (_, i) => (7 * i) % 256));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('PLTE', palette.subarray(0, 3 * 2 ** Math.min(8, depth))),
    // The pixels may be divided between chunks.
    ...halves(deflateSync(Uint8Array.from(rows.flat()))).map((half) => chunk('IDAT', half)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const halves = (bytes: Buffer) => [bytes.subarray(0, bytes.length >> 1), bytes.subarray(bytes.length >> 1)];

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(content.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** Writes a mask with a palette. */
export function writePalette(file: string, indices: readonly (readonly number[])[], depth = 8): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, indexedPng(indices, { depth }));
}
