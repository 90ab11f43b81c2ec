import { describe, expect, it } from 'vitest';
import { VirtualTime } from '../../src/runs/virtual-time.js';

describe('virtual time', () => {
  it('ends trials that all last equally long in their order', () => {
    const time = new VirtualTime();
    time.begin(0, 1);
    time.begin(1, 1);
    time.end();
    time.begin(2, 1);
    expect(time.running).toEqual([1, 2]);
    expect(time.next).toBe(1);
    time.end();
    expect(time.next).toBe(2);
  });

  it('lets short trials overtake a long one, from when they begin', () => {
    const time = new VirtualTime();
    time.begin(0, 3);
    time.begin(1, 1);
    expect(time.next).toBe(1);
    time.end();
    // At 1; it ends at 3 as trial 0 does, and comes after it.
    time.begin(2, 2);
    expect(time.next).toBe(0);
    time.end();
    // At 3.
    time.begin(3, 1);
    expect(time.running).toEqual([2, 3]);
    expect(time.next).toBe(2);
    time.end();
    time.end();
    expect(time.next).toBeUndefined();
    expect(() => time.end()).toThrow('no trial is running');
  });
});
