/** What a node of a cell is, which its colour shows. */
export type CellRole = 'input' | 'node' | 'output' | 'hidden' | 'combine';

export interface CellNode {
  readonly id: string;
  /** Plain, or a symbol with a script: `c_{k-2}`, `H^{l-1}`. */
  readonly label: string;
  readonly role: CellRole;
  /**
   * Makes the node a block: a box for each operation, through which an edge enters, and behind them the label, which
   * says how their results are put together.
   */
  readonly operations?: readonly string[];
}

export interface CellEdge {
  readonly from: string;
  readonly to: string;
  readonly label?: string;
  /** Into a block: which of its operations the edge enters. Every operation has one edge. */
  readonly operation?: number;
  /** Drawn dotted: an edge that exists and carries nothing. */
  readonly isEmpty?: boolean;
}

/** The graph of one cell, without cycles; between two nodes there may be more than one edge. */
export interface CellGraph {
  /** Of the panel, as in `Normal cell`. */
  readonly title: string;
  readonly direction: 'right' | 'up';
  /** Nodes that no edge enters stand at the start, in this order. */
  readonly nodes: readonly CellNode[];
  readonly edges: readonly CellEdge[];
}

/** @throws Error when there is no node, an edge has an end that is no node, or a block an operation without its edge, or there is a cycle. */
export function checkCellGraph({ title, nodes, edges }: CellGraph): void {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  if (nodes.length === 0) throw new Error(`${title}: no nodes`);
  if (byId.size !== nodes.length) throw new Error(`${title}: two nodes have the same id`);
  for (const { from, to } of edges) {
    for (const id of [from, to])
      if (!byId.has(id)) throw new Error(`${title}: the edge from ${from} to ${to} has no node ${id}`);
  }
  for (const { id, operations } of nodes) {
    const entered = edges.filter(({ to }) => to === id).map(({ operation }) => operation);
    const expected = operations === undefined ? entered.map(() => undefined) : [...operations.keys()];
    if (entered.length !== expected.length || !expected.every((operation) => entered.includes(operation)))
      throw new Error(`${title}: the edges into ${id} are not one for each of its operations`);
  }
  let open = nodes.map(({ id }) => id);
  while (open.length > 0) {
    const blocked = new Set(edges.filter(({ from }) => open.includes(from)).map(({ to }) => to));
    const left = open.filter((id) => blocked.has(id));
    if (left.length === open.length) throw new Error(`${title}: a cycle through ${left.join(', ')}`);
    open = left;
  }
}
