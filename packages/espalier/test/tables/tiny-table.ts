import { gzipSync } from 'node:zlib';
import { Space } from '../../src/space/space.js';
import { nasBench201 } from '../../src/spaces/nasbench201.js';

/** Cells of three nodes: 5^3 architectures. */
export const space = Space.configure(nasBench201, { nodes: 3 });

/** What the table says of the architecture with this number, in percent and in seconds of 200 epochs. */
export function rowOf(index: number) {
  return {
    brief: 40 + ((index * 37) % 125) / 4,
    long: 60 + ((index * 37) % 125) / 5,
    test: 61 + ((index * 41) % 125) / 5,
    seconds: 1000 + 10 * ((index * 7) % 125),
  };
}

export const cells = [...space.enumerate()].map(
  (answers) => (space.decode(answers) as unknown as { readonly cell: string }).cell,
);

/** A table of all of them in the form of NAS-Bench-201, with the line ends of CSV. */
export function tinyTable(): string {
  const header =
    'idx,arch,params_mb_c10,train_time_200ep_s_c10valid,c10valid_val_12ep,c10valid_val_200ep_mean,c10_test_200ep_mean';
  const rows = cells.map((cell, index) => {
    const { brief, long, test, seconds } = rowOf(index);
    return [index, cell, 0.1, seconds, brief, long, test].join(',');
  });
  return `${[header, ...rows].join('\r\n')}\r\n`;
}

export const gzipped = () => gzipSync(tinyTable());
