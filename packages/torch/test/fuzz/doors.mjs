// What a program hands to the package besides kernels: nested arrays, files, handles. Each has `draw(g)`, and `run(args)`, which
// returns what is wrong, or undefined.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { liveTensors, loadTensors, ones, saveTensors, scope, Tensor, tensor } from '../../dist/index.js';
import { chance, integer, oneOf } from './draws.mjs';

const nested = (g, depth) => {
  if (depth === 0 || chance(g, 15))
    return chance(g, 90) ? integer(g, -5, 5) : oneOf(g, 'x', '', null, true, {}, 0.5);
  const length = integer(g, 0, 3);
  return Array.from({ length }, () => nested(g, depth - 1));
};

const tensors = {
  draw: (g) => ({
    value: nested(g, integer(g, 0, 4)),
    dtype: oneOf(g, 'float32', 'float64', 'int64', 'bool'),
  }),
  run({ value, dtype }) {
    const flat = [value].flat(Number.POSITIVE_INFINITY);
    try {
      const made = tensor(value, dtype);
      if (made.size !== flat.length) return `${flat.length} numbers gave ${made.size} elements`;
      const expected = dtype === 'bool' ? flat.map((each) => Number(each !== 0)) : flat;
      return made.toNumbers().join() === expected.join() ? undefined : `gave ${made.toNumbers()}`;
    } catch (error) {
      if (!(error instanceof TypeError)) return String(error);
      return /not rectangular|an element/.test(error.message) ? undefined : error.message;
    }
  },
};

const files = {
  draw: (g) => ({
    names: Array.from({ length: integer(g, 0, 3) }, (_, place) => `tensor${place}`),
    changes: Array.from({ length: integer(g, 0, 3) }, () => ({
      kind: oneOf(g, 'set', 'cut', 'insert'),
      place: integer(g, 0, 400),
      byte: integer(g, 0, 255),
    })),
  }),
  run({ names, changes }) {
    const folder = mkdtempSync(join(tmpdir(), 'espalier-fuzz-'));
    const file = join(folder, 'x.safetensors');
    try {
      saveTensors(file, new Map(names.map((name, place) => [name, ones([place, 3])])));
      let bytes = readFileSync(file);
      for (const { kind, place, byte } of changes) {
        const at = Math.min(place, bytes.length);
        const rest = bytes.subarray(kind === 'insert' ? at : at + 1);
        bytes =
          kind === 'cut'
            ? bytes.subarray(0, at)
            : Buffer.concat([bytes.subarray(0, at), Buffer.of(byte), rest]);
      }
      writeFileSync(file, bytes);
      const before = liveTensors();
      try {
        for (const each of loadTensors(file).tensors.values()) each.free();
      } catch (error) {
        if (!error.message.startsWith(`${file} is not a safetensors file: `)) return error.message;
      }
      return liveTensors() === before ? undefined : `${liveTensors() - before} tensors are left`;
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

const handles = {
  draw: (g) => ({
    offset: oneOf(
      g,
      0,
      1,
      -1,
      0.5,
      2 ** 24,
      -(2 ** 24),
      2 ** 34,
      2 ** 53,
      Number.NaN,
      integer(g, -(2 ** 40), 2 ** 40),
    ),
    use: oneOf(g, 'shape', 'add', 'free', 'keep'),
  }),
  run: ({ offset, use }) =>
    scope(() => {
      const live = ones([2]);
      const other = new Tensor(live.handle + (offset ?? Number.NaN));
      try {
        if (use === 'shape') other.shape;
        else if (use === 'add') other.add(1);
        else other[use]();
        return other.handle === live.handle ? undefined : `the handle ${other.handle} names a tensor`;
      } catch (error) {
        return /the tensor was freed/.test(error.message) ? undefined : error.message;
      }
    }),
};

export const doors = { tensors, files, handles };
