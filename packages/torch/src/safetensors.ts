import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
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

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Writes tensors under their names, atomically: the file is whole or not there. */
export function saveTensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const header: Record<string, Entry | Readonly<Record<string, string>>> = {};
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  const chunks: Uint8Array[] = [];
  let offset = 0;
  for (const [name, tensor] of tensors) {
    const bytes = new Uint8Array(native.toBytes(tensor.handle));
    header[name] = {
      dtype: formatNames[tensor.dtype],
      shape: [...tensor.shape],
      data_offsets: [offset, offset + bytes.length],
    };
    chunks.push(bytes);
    offset += bytes.length;
  }
  // The data begins at a multiple of eight bytes, as the format's own writer pads it.
  const json = JSON.stringify(header);
  const head = Buffer.from(json + ' '.repeat((8 - (Buffer.byteLength(json) % 8)) % 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length));
  const temporary = `${path}.writing`;
  const file = openSync(temporary, 'w');
  try {
    for (const chunk of [length, head, ...chunks]) {
      // One write moves at most 2 GB.
      for (let done = 0; done < chunk.length; )
        done += writeSync(file, chunk, done, Math.min(chunk.length - done, 2 ** 30));
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
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
  const fail = (problem: string): never => {
    throw new Error(`${path} is not a safetensors file: ${problem}`);
  };
  if (bytes.length < 8) fail(`it has ${bytes.length} bytes`);
  const length = Number(bytes.readBigUInt64LE(0));
  if (length > bytes.length - 8)
    fail(`its header should have ${length} bytes, but only ${bytes.length - 8} follow`);
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, unknown>;
  } catch {
    return fail('its header is not JSON');
  }
  const tensors = new Map<string, Tensor>();
  const data = bytes.subarray(8 + length);
  const { __metadata__: metadata = {}, ...entries } = header;
  for (const [name, value] of Object.entries(entries)) {
    const { dtype: formatName, shape, data_offsets: offsets } = value as Partial<Entry>;
    const dtype = dtypes.get(formatName ?? '') ?? fail(`tensor ${name} has element type ${formatName}`);
    if (!Array.isArray(shape) || !Array.isArray(offsets))
      return fail(`tensor ${name} has no shape or no place`);
    const [begin, end] = offsets;
    if (!(begin >= 0 && begin <= end && end <= data.length))
      fail(`tensor ${name} stands at bytes ${begin} to ${end}, but there are ${data.length}`);
    try {
      tensors.set(name, new Tensor(native.fromBytes(data.subarray(begin, end), dtypeCode(dtype), shape)));
    } catch (error) {
      fail(`tensor ${name}: ${(error as Error).message}`);
    }
  }
  return { tensors, metadata: metadata as Record<string, string> };
}
