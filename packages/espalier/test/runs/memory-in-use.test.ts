import { totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import {
  memoryInUse,
  memoryOfEpochs,
  memoryOverTime,
  spaceOf,
  spaceText,
} from '../../src/runs/memory-in-use.js';

const GIB = 2 ** 30;

describe('the memory that a process holds', () => {
  it('is that of all its tensors on a GPU, and of the whole GPU where the driver says it', () => {
    const read = (device: string) => ({
      ...{ used: 3, peak: 7, reserved: 9 },
      ...(device === 'cuda:1' ? { whole: { free: 40, total: 80 } } : {}),
    });
    expect(memoryInUse('cuda:0', read)).toEqual({ device: 'cuda:0', used: 3, peak: 7 });
    expect(memoryInUse('cuda:1', read)).toEqual({ device: 'cuda:1', used: 3, peak: 7, free: 40, total: 80 });
  });

  it('is all of its own on the CPU', () => {
    const block = new Uint8Array(64 * 2 ** 20).fill(1);
    const { used, peak, free, total } = memoryInUse('cpu');
    expect(block.length).toBeLessThan(used);
    expect(peak).toBeGreaterThan(block.length);
    expect(total).toBeLessThanOrEqual(totalmem());
    expect(free).toBeLessThanOrEqual(total as number);
  });

  it('is refused for what is no device', () => {
    expect(() => memoryInUse('quantum')).toThrow('quantum');
  });
});

describe('the memory of a run', () => {
  const on = (device: string, used: number, peak: number) => ({ device, used, peak });

  it('is what was last seen of each device, with the highest peak of any process', () => {
    expect(
      memoryOverTime([
        { memory: [{ ...on('cuda:0', 5, 9), free: 10, total: 16 }] },
        { memory: [on('cuda:1', 2, 2)] },
        { memory: undefined },
        { memory: [{ ...on('cuda:0', 4, 6), free: 12, total: 16 }] },
      ]),
    ).toEqual([{ ...on('cuda:0', 4, 9), free: 12, total: 16 }, on('cuda:1', 2, 2)]);
  });

  it('keeps the devices of different workers apart, and those of processes that train together', () => {
    expect(
      memoryOverTime([
        { memory: [on('cuda:0', 1, 1)], worker: 'a' },
        { memory: [on('cuda:0', 2, 2)], worker: 'b' },
        { memory: [on('cuda:0', 3, 3), on('cuda:0', 4, 4)] },
      ]),
    ).toEqual([
      { ...on('cuda:0', 1, 1), worker: 'a' },
      { ...on('cuda:0', 2, 2), worker: 'b' },
      { ...on('cuda:0', 3, 3), process: 1 },
      { ...on('cuda:0', 4, 4), process: 2 },
    ]);
  });

  it('is read from the clocks of its epochs; what is none is passed over', () => {
    const epoch = (memory: object) => ({ event: 'epoch', clock: { memory } }) as never;
    expect(memoryOfEpochs([epoch([on('cpu', 1, 2)]), epoch([{ device: 'cpu' }])])).toEqual([on('cpu', 1, 2)]);
  });
});

it('a worker says once what each of its devices has', () => {
  const read = () => ({ used: 0, peak: 0, reserved: 0, whole: { free: 79.25 * GIB, total: 79.5 * GIB } });
  const spaces = spaceOf(['cuda:0', 'cuda:1', 'cuda:0'], read);
  expect(spaces.map(spaceText)).toEqual([
    '79.3 GiB of 79.5 GiB of cuda:0 are free',
    '79.3 GiB of 79.5 GiB of cuda:1 are free',
  ]);
  expect(spaceText({ device: 'cpu', free: GIB, total: 8 * GIB })).toBe('1 GiB of 8 GiB of memory are free');
  expect(spaceOf(['cuda:0'], () => ({ used: 0, peak: 0, reserved: 0 }))).toEqual([]);
});
