/** How two values are combined, and the activation applied to the result. */
interface TreeStep {
  readonly combination: string;
  readonly activation: string;
}

/**
 * The computation tree of a recurrent cell (Zoph & Le 2016, figure 5). Symbols use the syntax of `symbolMarkup`, such
 * as `h_{t-1}`.
 */
export interface RecurrentTree {
  /** Caption of the panel. */
  readonly title: string;
  /** The two inputs of every leaf. */
  readonly inputs: readonly [string, string];
  /** Nodes in topological order: each comes after the two that it reads. A leaf reads none. The last node is the root. */
  readonly nodes: readonly (TreeStep & { readonly reads?: readonly [number, number] })[];
  /** Symbol of the root's output. */
  readonly output: string;
  /** The value that is combined with the result of node `at`. */
  readonly injected: TreeStep & { readonly symbol: string; readonly at: number };
  /** The additional output of node `at`: its value before the activation. */
  readonly tapped: { readonly symbol: string; readonly at: number };
}

/** @throws Error if the nodes do not form a tree, or if the injected or tapped node does not exist */
export function checkRecurrentTree({ title, nodes, injected, tapped }: RecurrentTree): void {
  const wrong = (why: string): never => {
    throw new Error(`${title}: ${why}`);
  };
  if (nodes.length === 0) wrong('the tree has no nodes');
  const readers = nodes.map(() => 0);
  for (const [index, { reads = [] }] of nodes.entries())
    for (const read of reads) {
      if (!(Number.isInteger(read) && read >= 0 && read < index))
        wrong(`node ${index} reads ${read}; allowed: nodes before it`);
      readers[read] = (readers[read] as number) + 1;
    }
  for (const [index, count] of readers.entries()) {
    const expected = index === nodes.length - 1 ? 0 : 1;
    if (count !== expected) wrong(`node ${index} is read ${count} times; allowed: ${expected}`);
  }
  for (const { symbol, at } of [injected, tapped])
    if (nodes[at] === undefined) wrong(`${symbol} is at node ${at}; allowed: 0 to ${nodes.length - 1}`);
}
