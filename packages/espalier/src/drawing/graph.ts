export type NodeKind = 'input' | 'convolution' | 'pool' | 'linear' | 'operation' | 'merge' | 'output';

export interface GraphNode {
  readonly id: string;
  readonly label: string;
  /** Lines below the label, such as '3x5 conv, 36 filters' and '36 x 28 x 28'. */
  readonly details: readonly string[];
  readonly kind: NodeKind;
}

/**
 * `flow` is the main path through the network, from one layer to the next. `skip` is a connection that skips layers.
 * No two edges may agree in both endpoints and kind.
 */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: 'flow' | 'skip';
  readonly label?: string;
}

/**
 * A network to draw: a directed acyclic graph. Nodes that the edges leave unordered are drawn in the order of this
 * list, so list the layers starting from the input.
 */
export interface NetworkGraph {
  readonly title: string;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/**
 * A topological order of the nodes, as indices into `graph.nodes`. Where the edges leave a choice, the node listed first
 * comes first.
 * @throws Error if an id is listed twice, or if an edge ends at an unknown node, is listed twice or closes a cycle
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
      throw new Error(`network graph "${graph.title}": ${name} refers to an unknown node`);
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
