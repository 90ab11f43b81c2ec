import { describe, expect, it } from 'vitest';
import { deviceMemory } from '../src/index.js';
import { native } from '../src/native.js';

describe('the memory of a device', () => {
  it('is what its allocator said last, with the most that it said', () => {
    expect(deviceMemory('cuda:3')).toEqual({ used: 0, peak: 0, reserved: 0 });
    native.reportDeviceMemory('cuda:3', 500, 2000);
    native.reportDeviceMemory('cuda:3', 1700, 4000);
    native.reportDeviceMemory('cuda:3', 300, 4000);
    expect(deviceMemory('cuda:3')).toEqual({ used: 300, peak: 1700, reserved: 4000 });
  });

  it('is that of the first device where a kind is named without a number', () => {
    native.reportDeviceMemory('cuda', 7, 9);
    expect(deviceMemory('cuda:0')).toEqual({ used: 7, peak: 7, reserved: 9 });
    expect(deviceMemory('cuda')).toEqual(deviceMemory('cuda:0'));
  });

  it('may be more than 32 bits can say', () => {
    native.reportDeviceMemory('cuda:4', 80 * 2 ** 30, 2 ** 40);
    expect(deviceMemory('cuda:4')).toEqual({ used: 85_899_345_920, peak: 85_899_345_920, reserved: 2 ** 40 });
  });

  it('is refused for what is no device', () => {
    expect(() => deviceMemory('quantum')).toThrow(/quantum/);
  });
});
