import { InputError } from '../input-error.js';

/** The operations of NAS-Bench-201 (Dong & Yang 2020, section 2.1), in the order of the authors' code. */
export const NASBENCH201_OPERATIONS = [
  'none',
  'skip_connect',
  'nor_conv_1x1',
  'nor_conv_3x3',
  'avg_pool_3x3',
] as const;

export type NasBench201Operation = (typeof NASBENCH201_OPERATIONS)[number];

/** A cell: for each node after the input, the operation on the edge from every earlier node. */
export type NasBench201Cell = readonly (readonly NasBench201Operation[])[];

/** An architecture in the format of the keys of the benchmark's tables. */
export interface NasBench201Architecture {
  readonly cell: string;
}

/** Writes a cell as `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`: for each node, its operations and the nodes that they read. */
export function writeCell(cell: NasBench201Cell): string {
  return cell
    .map((edges) => `|${edges.map((operation, from) => `${operation}~${from}`).join('|')}|`)
    .join('+');
}

/** @throws InputError naming the node and the edge */
export function readCell(text: unknown, nodes: number): NasBench201Operation[][] {
  const parts = typeof text === 'string' ? text.split('+') : [];
  if (parts.length !== nodes - 1)
    refuse(
      "'cell'",
      text,
      `a string such as ${writeCell(exampleOf(nodes))}, with ${nodes - 1} nodes joined by +`,
    );
  return parts.map((part, index) => {
    const where = `node ${index + 1} of 'cell'`;
    const edges = /^\|(.*)\|$/.exec(part)?.[1]?.split('|') ?? [];
    if (edges.length !== index + 1)
      refuse(
        where,
        part,
        `${index + 1} ${index === 0 ? 'edge' : 'edges'} delimited by bars, as in ${writeCell([exampleOf(nodes)[index] ?? []])}`,
      );
    return edges.map((edge, from) => {
      const operation = NASBENCH201_OPERATIONS.find((name) => edge === `${name}~${from}`);
      return (
        operation ?? refuse(where, edge, NASBENCH201_OPERATIONS.map((name) => `${name}~${from}`).join(', '))
      );
    });
  });
}

function exampleOf(nodes: number): NasBench201Operation[][] {
  return Array.from({ length: nodes - 1 }, (_, node) =>
    Array.from({ length: node + 1 }, () => 'skip_connect' as const),
  );
}

function refuse(where: string, value: unknown, allowed: string): never {
  throw new InputError(
    `space nasbench201: ${where} is ${JSON.stringify(value) ?? 'missing'}; allowed: ${allowed}`,
  );
}
