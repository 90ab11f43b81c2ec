import fc from 'fast-check';
import type { CellEdge, CellGraph, CellNode, CellRole } from '../../src/drawing/cell-graph.js';

const labels = fc.constantFrom(
  'none',
  'relu',
  'sep_conv_3x3',
  'dil_conv_5x5',
  'an operation with a long name',
);
const roles: fc.Arbitrary<CellRole> = fc.constantFrom('input', 'node', 'output', 'hidden', 'combine');

/** Cells like those of the spaces, and stranger ones: some labelled edges, blocks between plain nodes, parallel edges. */
export const cellGraphs: fc.Arbitrary<CellGraph> = fc
  .record({
    direction: fc.constantFrom('right' as const, 'up' as const),
    inputs: fc.integer({ min: 1, max: 3 }),
    nodes: fc.array(
      fc.record({
        role: roles,
        label: fc.constantFrom('0', 'add', 'c_{k-1}', 'H^{l}', 'concat'),
        isBlock: fc.boolean(),
        reads: fc.array(fc.record({ back: fc.nat(11), label: fc.option(labels, { nil: undefined }) }), {
          minLength: 1,
          maxLength: 3,
        }),
      }),
      { maxLength: 8 },
    ),
    lastReadsAll: fc.boolean(),
  })
  .map(({ direction, inputs, nodes, lastReadsAll }) => {
    const drawn: CellNode[] = [];
    const edges: CellEdge[] = [];
    for (let input = 0; input < inputs; input++)
      drawn.push({ id: `in ${input}`, label: `h_{i-${input}}`, role: 'input' });
    for (const { role, label, isBlock, reads } of nodes) {
      const id = `node ${drawn.length}`;
      for (const [operation, { back, label }] of reads.entries()) {
        const edge = { from: drawn[back % drawn.length]!.id, to: id };
        if (isBlock) edges.push({ ...edge, operation });
        else edges.push(label === undefined ? edge : { ...edge, label, isEmpty: label === 'none' });
      }
      const node = { id, label, role };
      drawn.push(isBlock ? { ...node, operations: reads.map(({ label }) => label ?? 'identity') } : node);
    }
    if (lastReadsAll) {
      for (const { id } of drawn) edges.push({ from: id, to: 'out' });
      drawn.push({ id: 'out', label: 'c_{k}', role: 'output' });
    }
    return { title: 'A cell', direction, nodes: drawn, edges };
  });

/** A cell with a long edge next to a short one. */
export const smallCell: CellGraph = {
  title: 'A <small> & "fine" cell',
  direction: 'right',
  nodes: [
    { id: 'c_{k-1}', label: 'c_{k-1}', role: 'input' },
    { id: '0', label: '0', role: 'node' },
    { id: 'c_{k}', label: 'c_{k}', role: 'output' },
  ],
  edges: [
    { from: 'c_{k-1}', to: '0', label: 'a < b' },
    { from: 'c_{k-1}', to: 'c_{k}', label: 'none', isEmpty: true },
    { from: '0', to: 'c_{k}' },
  ],
};

export const blockCell: CellGraph = {
  title: 'Blocks',
  direction: 'up',
  nodes: [
    { id: 'before', label: 'h_{i-1}', role: 'hidden' },
    { id: 'last', label: 'h_{i}', role: 'hidden' },
    { id: '1', label: 'add', role: 'combine', operations: ['sep 3×3', 'max 3×3'] },
    { id: '2', label: 'concat', role: 'combine', operations: ['identity', 'identity'] },
    { id: 'out', label: 'h_{i+1}', role: 'hidden' },
  ],
  edges: [
    { from: 'last', to: '1', operation: 0 },
    { from: 'before', to: '1', operation: 1 },
    { from: '1', to: '2', operation: 0 },
    { from: '1', to: '2', operation: 1 },
    { from: '2', to: 'out' },
  ],
};
