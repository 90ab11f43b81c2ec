import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
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

const metadataName = '__metadata__';

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/**
 * Writes tensors under their names, atomically: the file is whole or not there.
 *
 * @throws Error of the file system, and where a tensor has the name `__metadata__`, which the format keeps for itself
 */
export function saveTensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  if (tensors.has(metadataName)) throw new Error(`a tensor cannot be named ${metadataName} in a file`);
  const header: [string, Entry | Readonly<Record<string, string>>][] = [];
  if (Object.keys(metadata).length > 0) header.push([metadataName, metadata]);
  const chunks: Uint8Array[] = [];
  let offset = 0;
  for (const [name, tensor] of tensors) {
    const bytes = new Uint8Array(native.toBytes(tensor.handle));
    const data_offsets: [number, number] = [offset, offset + bytes.length];
    header.push([name, { dtype: formatNames[tensor.dtype], shape: [...tensor.shape], data_offsets }]);
    chunks.push(bytes);
    offset += bytes.length;
  }
  // The data begins at a multiple of eight bytes, as the format's own writer pads it.
  const json = JSON.stringify(Object.fromEntries(header));
  const head = Buffer.from(json + ' '.repeat((8 - (Buffer.byteLength(json) % 8)) % 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length));
  writeAtomically(path, [length, head, ...chunks]);
}

function writeAtomically(path: string, chunks: readonly Uint8Array[]): void {
  const temporary = `${path}.writing`;
  const file = openSync(temporary, 'w');
  try {
    try {
      for (const chunk of chunks) {
        // One write moves at most 2 GB.
        for (let done = 0; done < chunk.length; )
          done += writeSync(file, chunk, done, Math.min(chunk.length - done, 2 ** 30));
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Reads all tensors of a file, and its metadata.
 *
 * @throws Error naming the file and what is wrong: not in the format, cut off, an element type without a name here
 */
export function loadTensors(path: string): {
  tensors: Map<string, Tensor>;
  metadata: Record<string, string>;
} {
  const bytes = readFileSync(path);
  const tensors = new Map<string, Tensor>();
  try {
    const { entries, metadata, data } = parse(bytes);
    for (const [name, { dtype, shape, data_offsets }] of entries) {
      try {
        tensors.set(
          name,
          new Tensor(native.fromBytes(data.subarray(...data_offsets), dtypeCode(dtype), shape)),
        );
      } catch (error) {
        throw new Error(`tensor ${name}: ${(error as Error).message}`);
      }
    }
    return { tensors, metadata };
  } catch (error) {
    for (const tensor of tensors.values()) tensor.free();
    throw new Error(`${path} is not a safetensors file: ${(error as Error).message}`);
  }
}

type Parsed = {
  entries: [name: string, { dtype: Dtype; shape: number[]; data_offsets: [number, number] }][];
  metadata: Record<string, string>;
  data: Buffer;
};

function parse(bytes: Buffer): Parsed {
  if (bytes.length < 8) throw new Error(`it has ${bytes.length} bytes`);
  const length = Number(bytes.readBigUInt64LE(0));
  if (length > bytes.length - 8)
    throw new Error(`its header should have ${length} bytes, but only ${bytes.length - 8} follow`);
  const data = bytes.subarray(8 + length);
  const { [metadataName]: metadata = {}, ...described } = parseHeader(bytes.toString('utf8', 8, 8 + length));
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === 'string'))
    throw new Error('its metadata is not an object of strings');
  const entries = Object.entries(described).map(([name, value]): Parsed['entries'][number] => {
    const { dtype: formatName, shape, data_offsets } = (isObject(value) ? value : {}) as Partial<Entry>;
    if (!isIntegers(shape) || !isIntegers(data_offsets) || data_offsets.length !== 2)
      throw new Error(`tensor ${name} has no shape or no place`);
    const dtype = dtypes.get(String(formatName));
    if (dtype === undefined) throw new Error(`tensor ${name} has element type ${formatName}`);
    return [name, { dtype, shape, data_offsets }];
  });
  // The format leaves no gap and lets nothing overlap: whatever else was cut off, put in or written twice.
  let end = 0;
  for (const [name, { data_offsets: place }] of entries.toSorted(
    ([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1],
  )) {
    if (place[0] !== end || place[1] < place[0] || place[1] > data.length)
      throw new Error(
        `tensor ${name} stands at bytes ${place[0]} to ${place[1]}, but the one before ends at ${end} and the data at ${data.length}`,
      );
    end = place[1];
  }
  if (end !== data.length) throw new Error(`its tensors end at byte ${end}, the data at ${data.length}`);
  return { entries, metadata: metadata as Record<string, string>, data };
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
