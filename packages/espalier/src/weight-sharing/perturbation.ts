import { noGrad, scope, type Tensor, tensor } from '@espalier/torch';
import { z } from 'zod';
import type { Json } from '../json.js';
import { Random } from '../random/random.js';
import type { Relaxation } from '../supernets/alphas.js';
import type { CellChoice } from '../supernets/supernet.js';

/** The architecture parameters of one kind of cell, and what an architecture keeps of its mixtures. */
export interface MixedCell {
  readonly name: string;
  /** [edges, operations] */
  readonly alphas: Tensor;
  readonly choice: CellChoice;
}

/** What is decided of one kind of cell. */
interface Decisions {
  /** The operation of each edge; null while it is open. */
  readonly operations: (number | null)[];
  /** The edges that are dropped. */
  readonly dropped: boolean[];
}

/** A mixture from which something is left out for a moment: one operation, or all of an edge. */
interface LeftOut {
  readonly cell: string;
  readonly edge: number;
  readonly operation: number | 'all';
}

const savedJson = z.strictObject({
  round: z.int().min(0),
  cells: z.record(
    z.string(),
    z.strictObject({ operations: z.array(z.int().nullable()), dropped: z.array(z.boolean()) }),
  ),
});

/** So far apart that the softmax leaves nothing to the other operations. */
const DECIDED = 1000;

/**
 * The selection by perturbation (DARTS-PT, Wang et al. 2021, algorithm 1), in rounds as in the authors' code. In each of
 * the first rounds one edge of every kind of cell is decided, in random order: it keeps the operation without which the
 * supernet loses most. Then, round by round, one node of every kind of cell keeps the edges without which the supernet
 * loses most. What is left out adds nothing; the other weights are as before. Of equals the first one wins.
 *
 * Between the rounds the supernet is trained on: decided edges run their operation alone, with weight 1, and dropped
 * edges add nothing.
 */
export class SelectionByPerturbation {
  readonly #edgeOrders: ReadonlyMap<string, Int32Array>;
  /** The nodes that have more edges than they keep. */
  readonly #nodeOrders: ReadonlyMap<string, readonly CellChoice['nodes'][number][]>;
  readonly #edgeRounds: number;
  /** How many rounds there are. */
  readonly rounds: number;
  #round = 0;
  #decisions: ReadonlyMap<string, Decisions>;
  #leftOut: LeftOut | undefined;

  /** @param seed of the orders in which edges and nodes are decided */
  constructor(
    private readonly cells: readonly MixedCell[],
    seed: number,
  ) {
    const orderOf = (what: string, count: number) =>
      Random.of(seed, `perturbation: ${what}`).permutation(count);
    this.#edgeOrders = new Map(
      cells.map(({ name, alphas }) => [name, orderOf(`edges of ${name}`, edgesOf(alphas))]),
    );
    this.#nodeOrders = new Map(
      cells.map(({ name, choice }) => {
        const open = choice.nodes.filter(({ edges, keeps }) => edges.length > keeps);
        return [
          name,
          [...orderOf(`nodes of ${name}`, open.length)].map((place) => open[place] as (typeof open)[0]),
        ];
      }),
    );
    this.#decisions = new Map(
      cells.map(({ name, alphas }) => [
        name,
        {
          operations: new Array<number | null>(edgesOf(alphas)).fill(null),
          dropped: new Array<boolean>(edgesOf(alphas)).fill(false),
        },
      ]),
    );
    this.#edgeRounds = Math.max(...[...this.#edgeOrders.values()].map(({ length }) => length));
    this.rounds = this.#edgeRounds + Math.max(...[...this.#nodeOrders.values()].map(({ length }) => length));
  }

  /** Rounds that are decided. */
  get round(): number {
    return this.#round;
  }

  /** How often the next round measures the supernet. */
  get measurements(): number {
    return this.cells.reduce((sum, { name, choice }) => {
      const { edge, node } = this.#next(name);
      return sum + (edge === undefined ? 0 : choice.operations.length) + (node?.edges.length ?? 0);
    }, 0);
  }

  /** The weights of the mixtures, with what is decided and without what is left out. */
  readonly relaxation: Relaxation = (values) => {
    const cell = this.cells.find(({ alphas }) => alphas.handle === values.handle);
    if (cell === undefined) return values.softmax(-1);
    const { operations, dropped } = this.#decisions.get(cell.name) as Decisions;
    const columns = values.shape[1] as number;
    const isLeftOut = (edge: number, operation: number) =>
      this.#leftOut?.cell === cell.name &&
      this.#leftOut.edge === edge &&
      (this.#leftOut.operation === 'all' || this.#leftOut.operation === operation);
    const matrix = (of: (decided: number | null, edge: number, operation: number) => boolean) =>
      tensor(
        operations.map((decided, edge) =>
          Array.from({ length: columns }, (_, operation) =>
            Number(of(decided, edge, operation) && !isLeftOut(edge, operation)),
          ),
        ),
        values.dtype,
      ).to({ device: values.device });
    const open = matrix((decided) => decided === null);
    const alone = matrix((decided, edge, operation) => decided === operation && !dropped[edge]);
    return values.softmax(-1).mul(open).add(alone);
  };

  /**
   * Decides the next round.
   *
   * @param measure the supernet as it is relaxed now, the higher the better
   * @returns after each measurement, how many there were
   */
  *decide(measure: () => number): Generator<number, void, undefined> {
    let measured = 0;
    const without = (cell: string, edge: number, operation: number | 'all') => {
      this.#leftOut = { cell, edge, operation };
      try {
        return measure();
      } finally {
        this.#leftOut = undefined;
      }
    };
    for (const { name, choice } of this.cells) {
      const { operations, dropped } = this.#decisions.get(name) as Decisions;
      const { edge, node } = this.#next(name);
      if (edge !== undefined) {
        const losses: Loss[] = [];
        for (const operation of choice.operations) {
          losses.push({ of: operation, value: without(name, edge, operation) });
          yield ++measured;
        }
        operations[edge] = (byLoss(losses)[0] as Loss).of;
      }
      if (node !== undefined) {
        const losses: Loss[] = [];
        for (const of of node.edges) {
          losses.push({ of, value: without(name, of, 'all') });
          yield ++measured;
        }
        for (const { of } of byLoss(losses).slice(node.keeps)) dropped[of] = true;
      }
    }
    this.#round++;
  }

  /** What the next round decides of a kind of cell: an edge or, when all edges are decided, a node. */
  #next(cell: string): {
    readonly edge?: number | undefined;
    readonly node?: CellChoice['nodes'][number] | undefined;
  } {
    return this.#round < this.#edgeRounds
      ? { edge: this.#edgeOrders.get(cell)?.[this.#round] }
      : { node: this.#nodeOrders.get(cell)?.[this.#round - this.#edgeRounds] };
  }

  /**
   * Runs `body` while the architecture parameters say what is decided, so that the supernet derives it: on decided edges
   * all weight is on the operation, on dropped ones none on what an architecture may keep.
   */
  written<T>(body: () => T): T {
    const before = scope(() => noGrad(() => this.cells.map(({ alphas }) => alphas.clone().keep())));
    try {
      for (const { name, alphas, choice } of this.cells) {
        const { operations, dropped } = this.#decisions.get(name) as Decisions;
        const columns = alphas.shape[1] as number;
        scope(() =>
          noGrad(() => {
            for (const [edge, operation] of operations.entries()) {
              if (operation === null) continue;
              const kept = (column: number) =>
                dropped[edge] ? !choice.operations.includes(column) : column === operation;
              const row = Array.from({ length: columns }, (_, column) => (kept(column) ? 0 : -DECIDED));
              alphas.select(0, edge).copy_(tensor(row, alphas.dtype));
            }
          }),
        );
      }
      return body();
    } finally {
      noGrad(() => {
        for (const [place, { alphas }] of this.cells.entries()) alphas.copy_(before[place] as Tensor);
      });
      for (const value of before) value.free();
    }
  }

  /** What is decided so far. */
  toJson(): Json {
    return {
      round: this.#round,
      cells: structuredClone(Object.fromEntries(this.#decisions)) as unknown as Json,
    };
  }

  /** Goes on from what was decided. @throws Error for what is not of these cells */
  restore(json: Json): void {
    const { round, cells } = savedJson.parse(json);
    const fits = this.cells.every(({ name, alphas }) =>
      [cells[name]?.operations, cells[name]?.dropped].every((list) => list?.length === edgesOf(alphas)),
    );
    if (!fits) throw new Error('the state of the selection by perturbation is of other cells');
    this.#round = round;
    this.#decisions = new Map(Object.entries(cells));
  }
}

/** What the supernet is worth without an operation or an edge. */
interface Loss {
  readonly of: number;
  readonly value: number;
}

/** Those without which the supernet is worth least come first; equals in their order. */
function byLoss(losses: readonly Loss[]): Loss[] {
  return [...losses].sort((a, b) => a.value - b.value);
}

function edgesOf(alphas: Tensor): number {
  return alphas.shape[0] as number;
}
