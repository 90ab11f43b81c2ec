/** How values are put together, and what is done to the result. */
interface TreeStep {
  readonly combination: string;
  readonly activation: string;
}

/**
 * The tree by which a recurrent cell computes (Zoph & Le 2016, figure 5). Symbols as `symbolMarkup` reads them:
 * `h_{t-1}`.
 */
export interface RecurrentTree {
  /** Of the panel. */
  readonly title: string;
  /** What every leaf reads. */
  readonly inputs: readonly [string, string];
  /** Each after the two that it reads; a node that reads none is a leaf. The last is the root. */
  readonly nodes: readonly (TreeStep & { readonly reads?: readonly [number, number] })[];
  /** What the root gives out. */
  readonly output: string;
  /** What is put together with the result of the node `at`. */
  readonly injected: TreeStep & { readonly symbol: string; readonly at: number };
  /** What the node `at` gives out besides, before its activation. */
  readonly tapped: { readonly symbol: string; readonly at: number };
}

/** @throws Error when the nodes are no tree, or something is injected at or tapped from a node that is none of them. */
export function checkRecurrentTree({ title, nodes, injected, tapped }: RecurrentTree): void {
  const wrong = (why: string): never => {
    throw new Error(`${title}: ${why}`);
  };
  if (nodes.length === 0) wrong('no nodes');
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
