import { noGrad, scope, type Tensor, tensor } from '@espalier/torch';
import type { Random } from '../random/random.js';
import type { Relaxation } from '../supernets/alphas.js';
import type { ChoiceStep } from './supernet-search.js';

/** What the selection asks of a trained supernet. */
export interface PerturbedSupernet {
  /** [edges, operations] each, the first operation being 'none'. */
  readonly alphas: readonly Tensor[];
  relax(relaxation: Relaxation): void;
  /** The validation measure as it is relaxed now, the higher the better. */
  validate(): number;
  /** Trains the weights for a while with what is decided, before the next edge is. */
  tune(): Iterable<unknown>;
  readonly random: Random;
}

/** An edge by its place among the architecture parameters. */
interface Edge {
  readonly alphas: number;
  readonly row: number;
}

/** So far apart that the softmax leaves nothing to the other operations. */
const DECIDED = 100;

/**
 * The selection by perturbation (DARTS-PT, Wang et al. 2021, algorithm 1): edge after edge, in random order, the operation
 * without which the supernet loses most is kept alone, and the weights are tuned. Then each edge is left out once: what an
 * edge is worth is what the supernet loses without it.
 *
 * The decisions are written into the architecture parameters, so that the usual rule derives them: all of an edge's weight
 * on its operation, the more the more the edge is worth. Where the paper tunes the weights again after the edges of each
 * node, all edges are compared here with the same weights. 'none' is never kept.
 */
export function* selectByPerturbation(supernet: PerturbedSupernet): Generator<ChoiceStep, void, undefined> {
  const { alphas } = supernet;
  const operations = (alphas[0] as Tensor).shape[1] as number;
  const edges = alphas.flatMap(({ shape }, index) =>
    Array.from({ length: shape[0] as number }, (_, row): Edge => ({ alphas: index, row })),
  );
  const of = edges.length * operations;
  let done = 0;
  /** Factors of the weights, in the places of the alphas. */
  const masks = alphas.map(({ shape }) =>
    Array.from({ length: shape[0] as number }, () => new Array<number>(operations).fill(1)),
  );
  const maskOf = ({ alphas: index, row }: Edge) => (masks[index] as number[][])[row] as number[];
  const decided = new Map<string, number>();
  supernet.relax((values) => {
    const index = alphas.findIndex(({ handle }) => handle === values.handle);
    const rows = masks[index] as number[][];
    const operationOf = (row: number) => decided.get(`${index} ${row}`);
    const matrix = (of: (factor: number, row: number, operation: number) => number) =>
      tensor(
        rows.map((mask, row) => mask.map((factor, operation) => of(factor, row, operation))),
        values.dtype,
      ).to({ device: values.device });
    const open = matrix((factor, row) => (operationOf(row) === undefined ? factor : 0));
    const alone = matrix((factor, row, operation) => (operationOf(row) === operation ? factor : 0));
    return values.softmax(-1).mul(open).add(alone);
  });

  for (const place of supernet.random.permutation(edges.length)) {
    const edge = edges[place] as Edge;
    const mask = maskOf(edge);
    let best: { readonly operation: number; readonly without: number } | undefined;
    for (let operation = 1; operation < operations; operation++) {
      mask[operation] = 0;
      const without = supernet.validate();
      mask[operation] = 1;
      if (best === undefined || without < best.without) best = { operation, without };
      yield { done: ++done, of, what: 'operations left out in turn' };
    }
    decided.set(`${edge.alphas} ${edge.row}`, (best as { operation: number }).operation);
    for (const _ of supernet.tune()) yield { done, of, what: 'tuning the weights' };
  }

  const worth = edges.map((edge) => {
    const mask = maskOf(edge);
    mask.fill(0);
    const without = supernet.validate();
    mask.fill(1);
    return { edge, without };
  });
  const values = worth.map(({ without }) => without);
  for (const { edge, without } of worth) {
    yield { done: ++done, of, what: 'edges left out in turn' };
    const operation = decided.get(`${edge.alphas} ${edge.row}`) as number;
    // By rank, so that the differences are seen however small they are.
    const better = values.filter((other) => other > without).length;
    scope(() =>
      noGrad(() => {
        const row = (alphas[edge.alphas] as Tensor).select(0, edge.row);
        row
          .fill_(-DECIDED)
          .narrow(0, operation, 1)
          .fill_(better / edges.length);
        row.narrow(0, 0, 1).fill_(0);
      }),
    );
  }
}
