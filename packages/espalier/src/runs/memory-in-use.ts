import { totalmem } from 'node:os';
import { type DeviceMemory, deviceMemory } from '@espalier/torch';
import { z } from 'zod';
import type { Json } from '../json.js';
import { gibibytes } from '../networks/required-memory.js';
import type { JournalEvent } from './journal-event.js';

const schema = z.object({
  device: z.string(),
  used: z.number(),
  peak: z.number(),
  free: z.number().optional(),
  total: z.number().optional(),
});

/**
 * What a process holds of the memory of a device, in bytes: now (`used`) and at most (`peak`), and what the whole device has,
 * whoever uses it. Of a GPU that is what tensors hold; of the CPU, whose memory is the machine's, all that the process holds.
 */
export type MemoryInUse = Readonly<z.infer<typeof schema>>;

/**
 * Of this process, now.
 *
 * @param read says what the memory of a device other than the CPU holds
 * @throws Error for what is no device
 */
export function memoryInUse(
  device: string,
  read: (device: string) => DeviceMemory = deviceMemory,
): MemoryInUse {
  if (device === 'cpu') {
    const { maxRSS } = process.resourceUsage();
    return {
      device,
      used: process.memoryUsage.rss(),
      peak: maxRSS * 1024,
      free: process.availableMemory(),
      total: Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
    };
  }
  const { used, peak, whole } = read(device);
  return { device, used, peak, ...whole };
}

/** What a whole device has, in bytes. */
export interface DeviceSpace {
  readonly device: string;
  readonly free: number;
  readonly total: number;
}

/** Of each of the devices, once; those of which nobody knows it are left out. */
export function spaceOf(devices: readonly string[], read?: (device: string) => DeviceMemory): DeviceSpace[] {
  return [...new Set(devices)].flatMap((device) => {
    const { free, total } = memoryInUse(device, read);
    return free === undefined || total === undefined ? [] : [{ device, free, total }];
  });
}

/** `79.1 of 79.6 GiB of cuda:0 are free`, `3 of 23.4 GiB of memory are free` */
export const spaceText = ({ device, free, total }: DeviceSpace) =>
  `${gibibytes(free)} of ${gibibytes(total)} of ${device === 'cpu' ? 'memory' : device} are free`;

/** What was measured at a time: by each process, where several work together, or by a worker. */
export interface MemorySample {
  /** Of the clock of an event. */
  readonly memory: Json | undefined;
  /** Of the machine that trained a child for another one. */
  readonly worker?: Json | undefined;
}

/** The memory of a device over the life of a run. */
export interface MemoryOverTime extends MemoryInUse {
  /** The worker that it was measured by; missing: this machine's processes. */
  readonly worker?: string;
  /** Counted from 1, where several processes train one network. */
  readonly process?: number;
}

const samples = z.array(schema);

/** Each device, as it was last seen, with the highest peak of a process. In the order in which they were first seen. */
export function memoryOverTime(measured: readonly MemorySample[]): MemoryOverTime[] {
  const devices = new Map<string, MemoryOverTime>();
  for (const { memory, worker } of measured) {
    const own = samples.safeParse(memory).data ?? [];
    for (const [place, one] of own.entries()) {
      const whose = {
        ...(typeof worker === 'string' ? { worker } : {}),
        ...(own.length > 1 ? { process: place + 1 } : {}),
      };
      const key = JSON.stringify([one.device, whose]);
      const peak = Math.max(one.peak, devices.get(key)?.peak ?? 0);
      devices.set(key, { ...one, ...whose, peak });
    }
  }
  return [...devices.values()];
}

/** Of a run that works by epochs. */
export const memoryOfEpochs = (epochs: readonly JournalEvent[]): MemoryOverTime[] =>
  memoryOverTime(epochs.map(({ clock }) => ({ memory: clock?.memory })));
