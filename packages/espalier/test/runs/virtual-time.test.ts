import { describe, expect, it } from 'vitest';
import { VirtualTime } from '../../src/runs/virtual-time.js';

describe('virtual time', () => {
  it('ends equally long trials in their order', () => {
    const time = new VirtualTime();
    time.begin(0, 1);
    time.begin(1, 1);
    expect(time.next).toBe(0);
    time.end(0);
    time.begin(2, 1);
    expect(time.running).toEqual([1, 2]);
    expect(time.next).toBe(1);
    time.end(1);
    expect(time.next).toBe(2);
    expect([0, 1, 2].map((trial) => time.isRunning(trial))).toEqual([false, false, true]);
  });

  it('lets short trials overtake a long one from the moment they begin', () => {
    const time = new VirtualTime();
    time.begin(0, 3);
    time.begin(1, 1);
    expect(time.next).toBe(1);
    time.end(1);
    // Now it is 1. Trial 2 ends at 3, as trial 0 does, and comes after it.
    time.begin(2, 2);
    expect(time.next).toBe(0);
    time.end(0);
    // Now it is 3.
    time.begin(3, 1);
    expect(time.running).toEqual([2, 3]);
    expect(time.next).toBe(2);
    time.end(2);
    time.end(3);
    expect(time.next).toBeUndefined();
    expect(() => time.end(3)).toThrow('trial 3 is not running');
  });

  it('continues from the latest end if a trial ends out of turn, and never goes back', () => {
    const time = new VirtualTime();
    time.begin(0, 1);
    time.begin(1, 4);
    // Trial 1 took less time than its epochs suggest. Now it is 4.
    time.end(1);
    time.begin(2, 1);
    // Trial 0 would have ended at 1, but ends now, at 4. Trial 2 ends at 5, trial 3 at 6.
    time.end(0);
    time.begin(3, 2);
    expect(time.next).toBe(2);
  });
});
