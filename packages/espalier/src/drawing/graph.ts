export type NodeKind = 'input' | 'convolution' | 'pool' | 'linear' | 'operation' | 'merge' | 'output';

export interface GraphNode {
  readonly id: string;
  readonly label: string;
  /** Lines under the label, such as '3x5 conv, 36 filters' and '36 x 28 x 28'. */
  readonly details: readonly string[];
  readonly kind: NodeKind;
}

/**
 * `flow` is the main way through the network, from one layer to the next; `skip` is a connection that
 * jumps over layers. No two edges have the same ends and the same kind.
 */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: 'flow' | 'skip';
  readonly label?: string;
}

/**
 * A network to draw: a directed graph without cycles. Nodes that no edge orders are drawn in the order
 * in which they stand here, so list the layers from the input on.
 */
export interface NetworkGraph {
  readonly title: string;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/**
 * The positions in `graph.nodes` in an order in which every edge points forward; the node listed first
 * comes first wherever the edges leave a choice.
 * @throws Error when an id is listed twice, an edge ends nowhere, is listed twice, or closes a cycle.
 */
export function drawingOrder(graph: NetworkGraph): number[] {
  const indexOf = new Map<string, number>();
  for (const [index, node] of graph.nodes.entries()) {
    if (indexOf.has(node.id))
      throw new Error(`network graph "${graph.title}": node "${node.id}" is listed twice`);
    indexOf.set(node.id, index);
  }
  const waitsFor = new Array<number>(graph.nodes.length).fill(0);
  const targets = graph.nodes.map((): number[] => []);
  const seen = new Set<string>();
  for (const edge of graph.edges) {
    const name = `${edge.kind} edge "${edge.from}" -> "${edge.to}"`;
    const from = indexOf.get(edge.from);
    const to = indexOf.get(edge.to);
    if (from === undefined || to === undefined) {
      throw new Error(`network graph "${graph.title}": ${name} has an end that is not among the nodes`);
    }
    const key = `${from} ${to} ${edge.kind}`;
    if (seen.has(key)) throw new Error(`network graph "${graph.title}": ${name} is listed twice`);
    seen.add(key);
    targets[from]!.push(to);
    waitsFor[to]!++;
  }
  const order: number[] = [];
  const ready = waitsFor.flatMap((count, index) => (count === 0 ? [index] : []));
  while (ready.length > 0) {
    const next = ready.indexOf(Math.min(...ready));
    const index = ready.splice(next, 1)[0]!;
    order.push(index);
    for (const target of targets[index]!) if (--waitsFor[target]! === 0) ready.push(target);
  }
  if (order.length < graph.nodes.length) {
    const stuck = graph.nodes.filter((_, index) => waitsFor[index]! > 0).map((node) => `"${node.id}"`);
    throw new Error(`network graph "${graph.title}": a cycle runs through or before ${stuck.join(', ')}`);
  }
  return order;
}
