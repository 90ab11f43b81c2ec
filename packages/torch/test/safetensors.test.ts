import { createHash } from 'node:crypto';
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  DamagedFile,
  type Dtype,
  liveTensors,
  loadTensors,
  ones,
  saveTensors,
  scope,
  type Tensor,
  tensor,
  zeros,
} from '../src/index.js';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'espalier-safetensors-'));
  file = join(folder, 'some.safetensors');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The length of the header (u64, little-endian), the header, the data. */
function fileOf(header: string, data: readonly number[], length = Buffer.byteLength(header)): Buffer {
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(length));
  return Buffer.concat([head, Buffer.from(header), Buffer.from(data)]);
}

const entry = (dtype: string, shape: unknown, offsets: unknown) => ({ dtype, shape, data_offsets: offsets });

describe('writing', () => {
  it('writes the bytes of the format', () => {
    saveTensors(
      file,
      new Map([
        ['a', tensor([1, -2], 'float32')],
        ['b.c', tensor([[258]], 'int16')],
      ]),
      { made: 'by hand' },
    );
    const header =
      '{"__metadata__":{"made":"by hand"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b.c":{"dtype":"I16","shape":[1,1],"data_offsets":[8,10]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
    const data = [0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x00, 0xc0, 0x02, 0x01];
    expect(readFileSync(file)).toEqual(fileOf(padded, data));
  });

  it('replaces the whole file or leaves it unchanged', () => {
    saveTensors(file, new Map([['a', ones([2])]]));
    const before = readFileSync(file);
    const freed = zeros([1]);
    freed.free();
    expect(() =>
      saveTensors(
        file,
        new Map([
          ['a', zeros([2])],
          ['b', freed],
        ]),
      ),
    ).toThrow('the tensor was freed');
    expect(() => saveTensors(folder, new Map([['a', zeros([2])]]))).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(() => saveTensors(join(folder, 'no', 'where'), new Map())).toThrow('ENOENT');
    expect(() => saveTensors(file, new Map([['__metadata__', ones([1])]]))).toThrow(
      'cannot be named __metadata__',
    );
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(folder)).toEqual(['some.safetensors']);
  });
});

describe('a file with a checksum', () => {
  const write = () =>
    saveTensors(
      file,
      new Map([
        ['a', tensor([1, -2], 'float32')],
        ['b', tensor([[258]], 'int16')],
      ]),
      { made: 'by hand' },
      { checksum: true },
    );

  it('is read as any other, and says the SHA-256 of itself with zeros in its place', () => {
    write();
    expect(loadTensors(file).metadata).toEqual({ made: 'by hand' });
    const text = readFileSync(file, 'latin1');
    const checksum = /"espalier\.sha256":"([\da-f]{64})"/.exec(text)?.[1] as string;
    const zeroed = Buffer.from(text.replace(checksum, '0'.repeat(64)), 'latin1');
    expect(createHash('sha256').update(zeroed).digest('hex')).toBe(checksum);
    const before = readFileSync(file);
    write();
    expect(readFileSync(file)).toEqual(before);
  });

  it('is not read if one bit of it is another one, unless that bit is in the name of the checksum', () => {
    write();
    const bytes = readFileSync(file);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8((changed[bit >> 3] as number) ^ (1 << (bit & 7)), bit >> 3);
      writeFileSync(file, changed);
      let message = '';
      try {
        const { metadata } = loadTensors(file);
        message = Object.keys(metadata).join();
      } catch (error) {
        message = (error as Error).message;
      }
      expect(message, `bit ${bit}`).toMatch(
        /is damaged: its checksum|is not a safetensors file|^made,.{15}$|^.{15},made$/,
      );
    }
    const last = Buffer.from(bytes);
    last.writeUInt8((last.at(-1) as number) ^ 1, last.length - 1);
    writeFileSync(file, last);
    expect(() => loadTensors(file)).toThrow(
      new DamagedFile(`${file} is damaged: its checksum is not that of the file that was written`),
    );
  });
});

describe('writing and reading', () => {
  it.each<[Dtype, number[]]>([
    ['float64', [0.1, -1e300, Infinity, NaN]],
    ['float32', [Math.fround(0.1), -Infinity]],
    ['float16', [0.5, -65504]],
    ['bfloat16', [1.5, -(2 ** 120)]],
    ['int64', [-(2 ** 53) + 1, 5]],
    ['int32', [-(2 ** 31), 7]],
    ['int16', [-32768, 32767]],
    ['int8', [-128, 127]],
    ['uint8', [0, 255]],
    ['bool', [0, 1, 1]],
  ])('preserves %s', (dtype, values) => {
    saveTensors(file, new Map([['x', tensor(values, dtype)]]));
    const back = loadTensors(file).tensors.get('x') as Tensor;
    expect(back.dtype).toBe(dtype);
    expect(back.toNumbers()).toEqual(values);
  });

  it('preserves shapes, scalars, empty tensors, odd names and metadata', () => {
    const names = ['features.0.weight', 'ünï "quoted"\n', '__proto__', 'constructor', '0', ''];
    const tensors = new Map(names.map((name, index) => [name, tensor(index)] as const));
    tensors.set('empty', zeros([0, 3]));
    tensors.set('cube', ones([2, 1, 3], { dtype: 'bool' }));
    saveTensors(file, tensors, { epoch: '7', π: '3.14' });
    const back = loadTensors(file);
    expect(back.metadata).toEqual({ epoch: '7', π: '3.14' });
    expect([...back.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
    for (const [name, value] of tensors) {
      expect(back.tensors.get(name)?.shape, name).toEqual(value.shape);
      expect(back.tensors.get(name)?.toNumbers(), name).toEqual(value.toNumbers());
    }
    saveTensors(file, new Map());
    expect(loadTensors(file)).toEqual({ tensors: new Map(), metadata: {} });
  });

  it('does not depend on strides and memory formats', () => {
    const image = tensor([[[[1, 2]], [[3, 4]]]]).to({ memoryFormat: 'channels_last' });
    saveTensors(
      file,
      new Map([
        ['image', image],
        ['transposed', tensor([[1, 2, 3]]).t()],
      ]),
    );
    const { tensors } = loadTensors(file);
    expect(tensors.get('image')?.toNumbers()).toEqual([1, 2, 3, 4]);
    expect(tensors.get('image')?.isContiguous()).toBe(true);
    expect(tensors.get('transposed')?.shape).toEqual([3, 1]);
  });
});

describe('reading', () => {
  it('accepts a file made by hand, with its tensors in any order', () => {
    const header = JSON.stringify({
      late: entry('U8', [3], [8, 11]),
      early: entry('F64', [1], [0, 8]),
    });
    writeFileSync(file, fileOf(header, [0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 7, 8, 9]));
    const { tensors, metadata } = loadTensors(file);
    expect(tensors.get('early')?.toNumbers()).toEqual([1.5]);
    expect(tensors.get('late')?.toNumbers()).toEqual([7, 8, 9]);
    expect(metadata).toEqual({});
  });

  const four = [1, 2, 3, 4];
  const header = (entries: Record<string, unknown>) => JSON.stringify(entries);
  it.each<[problem: string, bytes: Buffer, message: string]>([
    ['an empty file', Buffer.alloc(0), 'it has 0 bytes'],
    ['a file of three bytes', Buffer.alloc(3), 'it has 3 bytes'],
    ['a cut header', fileOf('{"a', [], 40), 'its header should have 40 bytes, but only 3 follow'],
    ['text', Buffer.from('{"model": "something else"}'), 'its header should have '],
    ['a header that is not JSON', fileOf('{"a":', []), 'its header is not JSON'],
    ['a header that is a list', fileOf('[]', []), 'its header is not an object'],
    ['a header that is null', fileOf('null', []), 'its header is not an object'],
    [
      'metadata of numbers',
      fileOf('{"__metadata__":{"a":1}}', []),
      'its metadata is not an object of strings',
    ],
    ['an entry that is no object', fileOf('{"a":null}', []), 'tensor a has no shape or no place'],
    [
      'an entry without shape',
      fileOf('{"a":{"dtype":"F32","data_offsets":[0,0]}}', []),
      'tensor a has no shape or no place',
    ],
    [
      'a negative size',
      fileOf(header({ a: entry('U8', [-1], [0, 4]) }), four),
      'tensor a has no shape or no place',
    ],
    [
      'a broken size',
      fileOf(header({ a: entry('U8', [1.5], [0, 4]) }), four),
      'tensor a has no shape or no place',
    ],
    [
      'three offsets',
      fileOf(header({ a: entry('U8', [4], [0, 4, 4]) }), four),
      'tensor a has no shape or no place',
    ],
    [
      'offsets as text',
      fileOf(header({ a: entry('U8', [4], ['0', '4']) }), four),
      'tensor a has no shape or no place',
    ],
    [
      'an unknown element type',
      fileOf(header({ a: entry('F8_E4M3', [4], [0, 4]) }), four),
      'tensor a has element type F8_E4M3',
    ],
    [
      'data cut off',
      fileOf(header({ a: entry('U8', [8], [0, 8]) }), four),
      'tensor a stands at bytes 0 to 8, but the one before ends at 0 and the data at 4',
    ],
    [
      'reversed offsets',
      fileOf(header({ a: entry('U8', [4], [4, 0]) }), four),
      'tensor a stands at bytes 4 to 0',
    ],
    [
      'a gap',
      fileOf(header({ a: entry('U8', [1], [0, 1]), b: entry('U8', [2], [2, 4]) }), four),
      'tensor b stands at bytes 2 to 4, but the one before ends at 1',
    ],
    [
      'an overlap',
      fileOf(header({ a: entry('U8', [3], [0, 3]), b: entry('U8', [2], [2, 4]) }), four),
      'tensor b stands at bytes 2 to 4, but the one before ends at 3',
    ],
    [
      'bytes that no tensor has',
      fileOf(header({ a: entry('U8', [3], [0, 3]) }), four),
      'its tensors end at byte 3, the data at 4',
    ],
    [
      'a shape of another size',
      fileOf(header({ a: entry('U8', [1], [0, 1]), b: entry('F32', [2], [1, 4]) }), four),
      'tensor b: float32 of shape [2] has 8 bytes, but 3 were given',
    ],
  ])('names the fault of %s, and keeps no tensor', (_, bytes, message) => {
    writeFileSync(file, bytes);
    const before = liveTensors();
    expect(() => loadTensors(file)).toThrow(`${file} is not a safetensors file: ${message}`);
    expect(liveTensors()).toBe(before);
  });

  // `npm run test:long`, like the properties: only `npm test` sets a seed.
  it.runIf(fc.readConfigureGlobal().seed === undefined)(
    'reads and writes files and tensors of more than two gigabytes',
    () => {
      const length = 2 ** 31 + 8;
      const json = JSON.stringify({
        long: entry('U8', [length], [0, length]),
        last: entry('F32', [2], [length, length + 8]),
      });
      const head = fileOf(json, []);
      const sparse = openSync(file, 'w');
      writeSync(sparse, head);
      ftruncateSync(sparse, head.length + length + 8);
      writeSync(sparse, Uint8Array.of(7), 0, 1, head.length + length - 1);
      const values = new Uint8Array(Float32Array.of(1.5, -2).buffer);
      writeSync(sparse, values, 0, 8, head.length + length);
      closeSync(sparse);
      scope(() => {
        const copy = join(folder, 'copy.safetensors');
        saveTensors(copy, loadTensors(file).tensors);
        rmSync(file);
        const { tensors } = loadTensors(copy);
        const long = tensors.get('long') as Tensor;
        expect(long.shape).toEqual([length]);
        expect(long.narrow(0, length - 3, 3).toNumbers()).toEqual([0, 0, 7]);
        expect(tensors.get('last')?.toNumbers()).toEqual([1.5, -2]);
      });
    },
  );

  it('refuses a header longer than the format allows', () => {
    const large = openSync(file, 'w');
    writeSync(large, fileOf('{}', [], 100_000_001).subarray(0, 8));
    ftruncateSync(large, 8 + 100_000_001);
    closeSync(large);
    expect(() => loadTensors(file)).toThrow('its header should have 100000001 bytes; allowed: 100000000');
  });

  it('names the file that is missing', () => {
    expect(() => loadTensors(file)).toThrow(file);
  });

  it('makes tensors that belong to the scope around it', () => {
    saveTensors(file, new Map([['a', ones([2])]]));
    const before = liveTensors();
    scope(() => loadTensors(file).tensors.get('a')?.toNumbers());
    expect(liveTensors()).toBe(before);
    const back = scope(() => loadTensors(file));
    expect(back.tensors.get('a')?.isLive).toBe(true);
  });
});
