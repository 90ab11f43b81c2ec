import type { NetworkPart } from '../networks/network-parts.js';
import { bytes, count } from './figures.js';
import { textTable } from './text-table.js';

/** What a network takes, part by part, for the terminal. */
export function sizeTable(
  cells: readonly NetworkPart[],
  sizes: { readonly params: number; readonly macs: number; readonly activationBytes: number },
): string {
  return textTable(
    [
      { heading: 'part', numeric: false },
      { heading: 'kind', numeric: false },
      { heading: 'parameters', numeric: true },
      { heading: 'multiply-adds', numeric: true },
      { heading: 'activations', numeric: true },
      { heading: 'output', numeric: true },
    ],
    [
      ...cells.map((cell) => [
        cell.module === '' ? 'the rest' : cell.module,
        cell.kind,
        count(cell.params),
        count(cell.macs),
        bytes(cell.activationBytes),
        cell.output?.join(' x ') ?? 'not run',
      ]),
      ['total', '', count(sizes.params), count(sizes.macs), bytes(sizes.activationBytes), ''],
    ],
  );
}
