/** An edge into a node. It reads a state: the inputs of the cell are the first states, its nodes the next, in order. */
interface ReadsState {
  readonly from: number;
}

/** A node: the sum of what its edges give, or their concatenation along the channels. */
export interface CellNode<Edge extends ReadsState> {
  readonly edges: readonly Edge[];
  /** The sum where it is not said. */
  readonly combine?: 'add' | 'concat';
}

/** An edge seen from the state that it reads. */
interface LeavingEdge<Edge> {
  readonly edge: Edge;
  /** The place of the node that it enters, among the nodes. */
  readonly node: number;
  /** Its place among all edges, which are counted node by node. */
  readonly place: number;
}

/** A cell as papers draw it: states, and the edges between them. How it is computed is not its concern. */
export class CellGraph<Edge extends ReadsState> {
  /** All edges, node by node. */
  readonly edges: readonly Edge[];
  /** For each state, the edges that leave it, up to the last state that is read. */
  readonly leaving: readonly (readonly LeavingEdge<Edge>[])[];

  /**
   * @param inputs how many states the cell is given
   * @throws RangeError for a node without edges, and for an edge that reads no earlier state
   */
  constructor(
    readonly inputs: number,
    readonly nodes: readonly CellNode<Edge>[],
  ) {
    const leaving: LeavingEdge<Edge>[][] = [];
    const all: Edge[] = [];
    for (const [node, { edges }] of nodes.entries()) {
      if (edges.length === 0)
        throw new RangeError(`node ${node} of a cell has no edges; needed: one or more`);
      for (const edge of edges) {
        if (!(Number.isInteger(edge.from) && edge.from >= 0 && edge.from < inputs + node))
          throw new RangeError(
            `an edge into node ${node} of a cell reads state ${edge.from}; allowed: 0 to ${inputs + node - 1}`,
          );
        while (leaving.length <= edge.from) leaving.push([]);
        leaving[edge.from]?.push({ edge, node, place: all.length });
        all.push(edge);
      }
    }
    this.edges = all;
    this.leaving = leaving;
  }

  /** The cell with other edges between the same states; `undefined` leaves an edge out. */
  map<Other extends ReadsState>(make: (edge: Edge, place: number) => Other | undefined): CellGraph<Other> {
    let place = 0;
    const nodes = this.nodes.map(({ edges, ...node }) => ({
      ...node,
      edges: edges.flatMap((edge) => make(edge, place++) ?? []),
    }));
    return new CellGraph(this.inputs, nodes);
  }

  /** For each state that is read, the places of the edges that leave it. */
  get placesLeaving(): readonly (readonly number[])[] {
    return this.leaving.map((edges) => edges.map(({ place }) => place));
  }
}
