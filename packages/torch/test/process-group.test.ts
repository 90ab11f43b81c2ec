import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Meeting } from '../src/index.js';

const program = fileURLToPath(new URL('programs/joined-processes.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'espalier-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Printed {
  readonly results: Readonly<Record<'kernels' | 'aten', number>>;
  readonly lost: string;
}

describe('two processes that compute together', () => {
  let printed: readonly [Printed & Record<string, unknown>, Printed & Record<string, unknown>];

  beforeAll(async () => {
    const file = join(folder, 'meeting');
    const run = promisify(execFile);
    const env = { ...process.env, OMP_NUM_THREADS: '1' };
    const ends = await Promise.all(
      [0, 1].map((rank) => run(process.execPath, [program, file, String(rank), '2'], { env })),
    );
    printed = ends.map(({ stdout }) => JSON.parse(stdout)) as unknown as typeof printed;
  });

  it('have the sums of all their tensors, of any element type', () => {
    for (const one of printed)
      expect(one).toMatchObject({
        collectives: 'gloo',
        floats: [1, 2, 4, 6],
        numbers: [3, 10],
        parameter: [2, 4],
      });
  });

  it('have what one of them gives', () => {
    for (const one of printed) expect(one).toMatchObject({ given: [1, 2], text: 'état 0' });
  });

  it('have the gradients and statistics of the whole batch, with batch norm and uneven parts', () => {
    for (const { results } of printed) {
      expect(results.kernels).toBeLessThan(1e-6);
      expect(results.aten).toBeLessThan(1e-6);
    }
  });

  it('notice the end of one of them', () => {
    expect(printed.map(({ lost }) => lost)).toEqual(['PeerLost', '']);
  });
});

describe('a place to meet', () => {
  it('is one at most', () => {
    const meeting = Meeting.at({ host: '127.0.0.1', port: 0, serves: true }, 10);
    try {
      expect(meeting.port).toBeGreaterThan(0);
      expect(meeting.areHere([1])).toBe(false);
      meeting.announce(1);
      expect(meeting.areHere([1])).toBe(true);
      expect(() => Meeting.at({ file: join(folder, 'other') }, 10)).toThrow('a store is open already');
    } finally {
      meeting.leave();
    }
  });
});
