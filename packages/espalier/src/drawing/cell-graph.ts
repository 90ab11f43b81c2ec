/** The role of a node in a cell. It determines the node's colour. */
export type CellRole = 'input' | 'node' | 'output' | 'hidden' | 'combine';

export interface CellNode {
  readonly id: string;
  /** Plain text, or a symbol with a subscript or superscript: `c_{k-2}`, `H^{l-1}`. */
  readonly label: string;
  readonly role: CellRole;
  /**
   * Makes the node a block: one box per operation, each with one incoming edge, followed by a box with the label, which
   * names how the results are combined.
   */
  readonly operations?: readonly string[];
}

export interface CellEdge {
  readonly from: string;
  readonly to: string;
  readonly label?: string;
  /** For an edge into a block: the index of the operation that it enters. Each operation has exactly one edge. */
  readonly operation?: number;
  /** An edge that is part of the cell but carries nothing. It is drawn dotted. */
  readonly isEmpty?: boolean;
}

/** The acyclic graph of one cell. Two nodes may be joined by several edges. */
export interface CellGraph {
  /** Caption of the panel, such as `Normal cell`. */
  readonly title: string;
  readonly direction: 'right' | 'up';
  /** Nodes without incoming edges are placed at the start, in this order. */
  readonly nodes: readonly CellNode[];
  readonly edges: readonly CellEdge[];
}

/**
 * @throws Error if the graph has no nodes, a duplicate id or a cycle, if an edge ends at an unknown node, or if an
 * operation of a block does not have exactly one incoming edge
 */
export function checkCellGraph({ title, nodes, edges }: CellGraph): void {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  if (nodes.length === 0) throw new Error(`${title}: the graph has no nodes`);
  if (byId.size !== nodes.length) throw new Error(`${title}: two nodes have the same id`);
  for (const { from, to } of edges) {
    for (const id of [from, to])
      if (!byId.has(id))
        throw new Error(`${title}: the edge from ${from} to ${to} refers to an unknown node ${id}`);
  }
  for (const { id, operations } of nodes) {
    const entered = edges.filter(({ to }) => to === id).map(({ operation }) => operation);
    const expected = operations === undefined ? entered.map(() => undefined) : [...operations.keys()];
    if (entered.length !== expected.length || !expected.every((operation) => entered.includes(operation)))
      throw new Error(`${title}: ${id} needs exactly one incoming edge for each of its operations`);
  }
  let open = nodes.map(({ id }) => id);
  while (open.length > 0) {
    const blocked = new Set(edges.filter(({ from }) => open.includes(from)).map(({ to }) => to));
    const left = open.filter((id) => blocked.has(id));
    if (left.length === open.length)
      throw new Error(`${title}: the graph has a cycle through ${left.join(', ')}`);
    open = left;
  }
}
