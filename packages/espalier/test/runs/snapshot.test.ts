import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSnapshot, type Snapshot, writeSnapshot } from '../../src/runs/snapshot.js';
import { temporaryFolder } from './temporary-folder.js';

const bytes = (values: number[]) => new Uint8Array(values);

const SNAPSHOT: Snapshot = {
  events: 7,
  journal: 'abc',
  asking: 'wait',
  strategy: {
    json: { random: [1, -2], baseline: 0.1 + 0.2, '10': 'ten', '2': { deep: null } },
    tensors: new Map([
      [
        'w',
        { dtype: 'float32', shape: [1, 2], data: new Uint8Array(new Float32Array([Number.NaN, -0]).buffer) },
      ],
      ['empty', { dtype: 'uint8', shape: [0], data: bytes([]) }],
    ]),
  },
};

const no = (reason: string) => expect.unreachable(reason);

describe('a snapshot', () => {
  test('is read back as it was written', () => {
    const file = join(temporaryFolder(), 'snapshot.json');
    writeSnapshot(file, SNAPSHOT);
    expect(readSnapshot(file, no)).toEqual(SNAPSHOT);
  });

  test('keeps every byte of a tensor, even if that is a part of a larger buffer', () => {
    const file = join(temporaryFolder(), 'snapshot.json');
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 3 }), (data) => {
        const part = data.subarray(1, -1);
        const tensors = new Map([['w', { dtype: 'uint8' as const, shape: [part.length], data: part }]]);
        writeSnapshot(file, { ...SNAPSHOT, strategy: { json: null, tensors } });
        expect(readSnapshot(file, no)?.strategy.tensors.get('w')?.data).toEqual(Uint8Array.from(part));
      }),
      { numRuns: 50 },
    );
  });

  test('replaces the previous one', () => {
    const file = join(temporaryFolder(), 'snapshot.json');
    writeSnapshot(file, SNAPSHOT);
    writeSnapshot(file, { ...SNAPSHOT, events: 8 });
    expect(readSnapshot(file, no)?.events).toBe(8);
  });

  test('is missing without a message if there is no file', () => {
    expect(readSnapshot(join(temporaryFolder(), 'snapshot.json'), no)).toBeUndefined();
  });

  test('is either read as it was written or not at all, whichever byte is changed and wherever it is cut', () => {
    const file = join(temporaryFolder(), 'snapshot.json');
    writeSnapshot(file, SNAPSHOT);
    const whole = readFileSync(file);
    const damaged = (damage: Buffer) => {
      writeFileSync(file, damage);
      let reason: string | undefined;
      const read = readSnapshot(file, (said) => {
        reason = said;
      });
      return { read, reason };
    };
    for (let i = 0; i < whole.length - 1; i++) {
      const flipped = Buffer.from(whole);
      flipped[i]! ^= 1 << (i % 7);
      const { read, reason } = damaged(flipped);
      if (read !== undefined) expect(read).toEqual(SNAPSHOT);
      else expect(reason).toBeTypeOf('string');
      expect(damaged(whole.subarray(0, i)).read).toBeUndefined();
    }
  });

  test('says that the checksum is wrong', () => {
    const file = join(temporaryFolder(), 'snapshot.json');
    writeSnapshot(file, SNAPSHOT);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"events":7', '"events":6'));
    let reason = '';
    readSnapshot(file, (said) => {
      reason = said;
    });
    expect(reason).toBe('its content does not match its checksum');
  });

  test('is refused if JSON would change the state', () => {
    const file = join(temporaryFolder(), 'snapshot.json');
    const strategy = { json: { baseline: Number.POSITIVE_INFINITY }, tensors: new Map() };
    expect(() => writeSnapshot(file, { ...SNAPSHOT, strategy })).toThrow('baseline is Infinity');
    expect(readSnapshot(file, no)).toBeUndefined();
  });
});
