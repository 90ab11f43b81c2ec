import { native } from './native.js';

/** What the memory of a device holds, in bytes. */
export interface DeviceMemory {
  /** By the tensors of this process, as of the last one that was made or freed. */
  readonly used: number;
  /** The most that they have held. */
  readonly peak: number;
  /** What libtorch has taken of the device for them: it keeps what is freed. */
  readonly reserved: number;
  /** Of the whole device, whoever uses it; undefined where nobody says. */
  readonly whole?: { readonly free: number; readonly total: number };
}

/**
 * The memory of a device that is not the CPU, whose allocator is libtorch's.
 *
 * @param device `cuda`, `cuda:1`; without a number the first
 * @returns zeros for one that has had no tensor of this process
 * @throws Error for what is no device
 */
export function deviceMemory(device: string): DeviceMemory {
  const [used, peak, reserved, free, total] = native.deviceMemory(device);
  return { used, peak, reserved, ...(Number.isNaN(total) ? {} : { whole: { free, total } }) };
}
