import { createHash } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { type Dtype, dtypeCode } from './dtype.js';
import { native } from './native.js';
import { Tensor } from './tensor.js';

/** The format's names of element types (https://github.com/huggingface/safetensors). */
const formatNames: Record<Dtype, string> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
};
const dtypes = new Map(Object.entries(formatNames).map(([dtype, name]) => [name, dtype as Dtype]));

/** Bytes of an element. */
const widths: Record<Dtype, number> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

const metadataName = '__metadata__';

/** The metadata with the checksum of the file, if it was written with one. */
const checksumName = 'espalier.sha256';

/** Stands for the checksum in what the checksum is of: the whole file. */
const noChecksum = '0'.repeat(64);

/** The limit of the format's own reader. */
const mostHeaderBytes = 100_000_000;

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const bytesOf = (dtype: Dtype, shape: readonly number[]) =>
  shape.reduce((product, length) => product * length, widths[dtype]);

/** A file has a checksum, and this is not the file that was written. */
export class DamagedFile extends Error {
  override readonly name = 'DamagedFile';
}

/**
 * Writes tensors with their names, atomically: the file is complete or unchanged. The file may be of any size.
 *
 * @param options with `checksum`, the metadata get the SHA-256 of the file, and `loadTensors` sees if a bit is another one
 * @throws Error of the file system, with `path`, and where a tensor has the name `__metadata__`, which the format reserves
 */
export function saveTensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
  options: { readonly checksum?: boolean } = {},
): void {
  if (tensors.has(metadataName)) throw new Error(`a tensor cannot be named ${metadataName} in a file`);
  const header: [string, Entry | Readonly<Record<string, string>>][] = [];
  const isChecked = options.checksum === true;
  const written = isChecked ? { ...metadata, [checksumName]: noChecksum } : metadata;
  if (Object.keys(written).length > 0) header.push([metadataName, written]);
  let offset = 0;
  for (const [name, { dtype, shape }] of tensors) {
    const end = offset + bytesOf(dtype, shape);
    header.push([name, { dtype: formatNames[dtype], shape: [...shape], data_offsets: [offset, end] }]);
    offset = end;
  }
  // As in the format's own writer, padding makes the data begin at a multiple of eight bytes.
  const json = JSON.stringify(Object.fromEntries(header));
  const head = Buffer.from(json + ' '.repeat((8 - (Buffer.byteLength(json) % 8)) % 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length));
  writeAtomically(path, (file) => {
    writeFileSync(file, Buffer.concat([length, head]));
    for (const tensor of tensors.values()) native.writeTensor(file, tensor.handle);
    if (isChecked)
      writeSync(file, checksumOf(file), checksumPlace(head, noChecksum) + length.length, 'latin1');
  });
}

/** Where a header says the checksum, counted from its beginning; before 0 if nowhere. */
function checksumPlace(head: Buffer, checksum: string): number {
  const before = `${JSON.stringify(checksumName)}:"`;
  const place = head.indexOf(`${before}${checksum}"`);
  return place < 0 ? place : place + before.length;
}

/** Bytes that are read at a time. */
const pieceBytes = 2 ** 22;

/** SHA-256 of a whole file, with zeros for the checksum that stands in it, if there is one. */
function checksumOf(file: number, placed?: { readonly checksum: string; readonly head: Buffer }): string {
  const hash = createHash('sha256');
  const { size } = fstatSync(file);
  let from = 0;
  if (placed !== undefined) {
    const { checksum, head } = placed;
    const place = checksumPlace(head, checksum);
    hash
      .update(readBytes(file, 0, 8))
      .update(head.subarray(0, place))
      .update(noChecksum);
    hash.update(head.subarray(place + noChecksum.length));
    from = 8 + head.length;
  }
  for (; from < size; from += pieceBytes)
    hash.update(readBytes(file, from, Math.min(pieceBytes, size - from)));
  return hash.digest('hex');
}

function writeAtomically(path: string, write: (file: number) => void): void {
  const temporary = `${path}.writing`;
  try {
    const file = openSync(temporary, 'w+');
    try {
      write(file);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    // Errors of a descriptor know no path.
    throw Object.assign(error as Error, { path });
  }
}

/**
 * Reads all tensors of a file, of any size, and its metadata.
 *
 * @throws Error naming the file and the fault: not in the format, cut off, an unknown element type
 * @throws DamagedFile for a file that has a checksum and is not what was written
 */
export function loadTensors(path: string): {
  tensors: Map<string, Tensor>;
  metadata: Record<string, string>;
} {
  const file = openSync(path, 'r');
  const tensors = new Map<string, Tensor>();
  try {
    const { entries, metadata: all, dataAt } = readHeader(file);
    const { [checksumName]: checksum, ...metadata } = all;
    if (checksum !== undefined) check(file, path, checksum, dataAt - 8);
    for (const [name, { dtype, shape, data_offsets }] of entries) {
      try {
        const handle = native.readTensor(file, dataAt + data_offsets[0], dtypeCode(dtype), shape);
        tensors.set(name, new Tensor(handle));
      } catch (error) {
        throw new Error(`tensor ${name}: ${(error as Error).message}`);
      }
    }
    return { tensors, metadata };
  } catch (error) {
    for (const tensor of tensors.values()) tensor.free();
    if (error instanceof DamagedFile) throw error;
    throw new Error(`${path} is not a safetensors file: ${(error as Error).message}`);
  } finally {
    closeSync(file);
  }
}

function check(file: number, path: string, checksum: string, headBytes: number): void {
  const head = readBytes(file, 8, headBytes);
  if (checksumPlace(head, checksum) >= 0 && checksumOf(file, { checksum, head }) === checksum) return;
  throw new DamagedFile(`${path} is damaged: its checksum is not that of the file that was written`);
}

interface Header {
  entries: [name: string, { dtype: Dtype; shape: number[]; data_offsets: [number, number] }][];
  metadata: Record<string, string>;
  /** The position in the file that offsets count from. */
  dataAt: number;
}

function readHeader(file: number): Header {
  const { size } = fstatSync(file);
  if (size < 8) throw new Error(`it has ${size} bytes`);
  const length = Number(readBytes(file, 0, 8).readBigUInt64LE(0));
  if (length > size - 8)
    throw new Error(`its header should have ${length} bytes, but only ${size - 8} follow`);
  if (length > mostHeaderBytes)
    throw new Error(`its header should have ${length} bytes; allowed: ${mostHeaderBytes}`);
  const { [metadataName]: metadata = {}, ...described } = parseHeader(
    readBytes(file, 8, length).toString('utf8'),
  );
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === 'string'))
    throw new Error('its metadata is not an object of strings');
  const entries = Object.entries(described).map(([name, value]): Header['entries'][number] => {
    const { dtype: formatName, shape, data_offsets } = (isObject(value) ? value : {}) as Partial<Entry>;
    if (!isIntegers(shape) || !isIntegers(data_offsets) || data_offsets.length !== 2)
      throw new Error(`tensor ${name} has no shape or no place`);
    const dtype = dtypes.get(String(formatName));
    if (dtype === undefined) throw new Error(`tensor ${name} has element type ${formatName}`);
    return [name, { dtype, shape, data_offsets }];
  });
  checkPlaces(entries, size - 8 - length);
  return { entries, metadata: metadata as Record<string, string>, dataAt: 8 + length };
}

/** The tensors of a file fill its data without gap and overlap, each as its shape says. Anything else was cut off or overwritten. */
function checkPlaces(entries: Header['entries'], dataBytes: number): void {
  let end = 0;
  for (const [name, { data_offsets: place }] of entries.toSorted(
    ([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1],
  )) {
    if (place[0] !== end || place[1] < place[0] || place[1] > dataBytes)
      throw new Error(
        `tensor ${name} stands at bytes ${place[0]} to ${place[1]}, but the one before ends at ${end} and the data at ${dataBytes}`,
      );
    end = place[1];
  }
  if (end !== dataBytes) throw new Error(`its tensors end at byte ${end}, the data at ${dataBytes}`);
  for (const [name, { dtype, shape, data_offsets }] of entries) {
    const bytes = bytesOf(dtype, shape);
    const given = data_offsets[1] - data_offsets[0];
    if (bytes !== given)
      throw new Error(
        `tensor ${name}: ${dtype} of shape [${shape.join(', ')}] has ${bytes} bytes, but ${given} were given`,
      );
  }
}

function readBytes(file: number, position: number, count: number): Buffer {
  const bytes = Buffer.alloc(count);
  for (let done = 0; done < count; ) {
    const read = readSync(file, bytes, done, count - done, position + done);
    if (read === 0) throw new Error(`it ends at byte ${position + done}`);
    done += read;
  }
  return bytes;
}

function parseHeader(json: string): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(json);
  } catch {
    throw new Error('its header is not JSON');
  }
  if (!isObject(header)) throw new Error('its header is not an object');
  return header;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function isIntegers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}
