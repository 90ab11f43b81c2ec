import type { MemoryOverTime } from '../runs/memory-in-use.js';
import { bytes } from './figures.js';

/** Devices that get a line each; a search may have had hundreds of workers. */
const MOST_LINES = 8;

/** What the memory of each device holds, a line each for the terminal; those with the highest peak come first. */
export function memoryLines(devices: readonly MemoryOverTime[]): string[] {
  const lines = devices.toSorted((a, b) => b.peak - a.peak).map((one) => `  ${memoryLine(one)}`);
  const more = lines.length - MOST_LINES;
  return more <= 0
    ? lines
    : [...lines.slice(0, MOST_LINES), `  and ${more} more ${more === 1 ? 'device' : 'devices'} with less`];
}

function memoryLine({ device, worker, process, used, peak, free, total }: MemoryOverTime): string {
  const whose = [
    device === 'cpu' ? 'the machine' : device,
    ...(worker === undefined ? [] : [`of worker ${worker}`]),
    ...(process === undefined ? [] : [`process ${process}`]),
  ];
  const taken =
    free === undefined || total === undefined
      ? ''
      : `; ${bytes(total - free)} of ${bytes(total)} are taken by all`;
  return `memory of ${whose.join(', ')}: a process holds ${bytes(used)}, at most ${bytes(peak)}${taken}`;
}
