import { nn, noGrad, type Tensor, tensor } from '@espalier/torch';
import type { z } from 'zod';
import type { Json } from '../../src/json.js';
import { Means, type Sums } from '../../src/measures/accumulator.js';
import { accuracy } from '../../src/measures/accuracy.js';
import { resolveOptions } from '../../src/space/options.js';
import { defineSpace, Space } from '../../src/space/space.js';
import type { Relaxation } from '../../src/supernets/alphas.js';
import type { CellChoice } from '../../src/supernets/supernet.js';
import { imageClassification } from '../../src/tasks/image-classification/definition.js';
import type { Batch, Part, PassOptions, Task } from '../../src/tasks/task.js';
import type { AnyWeightSharingDefinition } from '../../src/weight-sharing/definition.js';
import type { SearchedSupernet, SupernetSearch } from '../../src/weight-sharing/supernet-search.js';

/** One weight w and one edge with two operations, in float64. Nothing is random. */
export class KnownSupernet extends nn.Module {
  readonly w: nn.Parameter;
  readonly #alphas: nn.Parameter;
  /** All relaxations that a search has set. */
  readonly relaxations: Relaxation[] = [];

  constructor(w: number, alphas: readonly [number, number]) {
    super();
    this.w = new nn.Parameter(noGrad(() => tensor([w], 'float64')));
    this.#alphas = new nn.Parameter(noGrad(() => tensor([alphas], 'float64')));
  }

  get alphas(): Tensor {
    return this.#alphas;
  }

  architectureParameters(): { readonly edge: Tensor } {
    return { edge: this.#alphas };
  }

  choices(): { readonly edge: CellChoice } {
    return { edge: { nodes: [{ edges: [0], keeps: 1 }], operations: [0, 1] } };
  }

  relax(relaxation: Relaxation): void {
    this.relaxations.push(relaxation);
  }

  forwardPath(): never {
    throw new Error('no batch calls it');
  }

  derive(): object {
    return {};
  }
}

/** A batch with the loss (w - target)^2 / 2 + slope (alpha_1 + alpha_2). */
export interface KnownBatch {
  readonly target: number;
  readonly slope: number;
  /** 1 by default, as the length. */
  readonly count?: number;
  readonly length?: number;
}

/** A loss that a search has asked for. */
interface Seen {
  readonly part: Part;
  /** The weight at which it was taken. */
  readonly w: number;
}

/** The same batches in each pass; writes down what a search does with them. */
export class KnownTask implements Task<KnownSupernet, Sums> {
  readonly measures = [accuracy] as const;
  readonly timeSteps: number = 1;
  readonly independentBatches = true;
  readonly seen: Seen[] = [];
  readonly passes: { readonly part: Part; readonly training: PassOptions['training'] }[] = [];

  constructor(private readonly batches: Readonly<Record<'train' | 'validation', readonly KnownBatch[]>>) {}

  count(part: Part): number {
    return this.#of(part).reduce((sum, { count = 1 }) => sum + count, 0);
  }

  batchCount(part: Part): number {
    return this.#of(part).length;
  }

  *pass(part: Part, { training }: PassOptions): Generator<Batch<KnownSupernet, Sums>, void, undefined> {
    this.passes.push({ part, training });
    for (const batch of this.#of(part)) yield this.#batch(part, batch);
  }

  accumulator(): Means {
    return new Means();
  }

  #of(part: Part): readonly KnownBatch[] {
    return part === 'test' ? [] : this.batches[part];
  }

  #batch(part: Part, { target, slope, count = 1, length = 1 }: KnownBatch): Batch<KnownSupernet, Sums> {
    const loss = ({ w, alphas }: KnownSupernet) => {
      this.seen.push({ part, w: w.item() });
      return w.sub(target).square().div(2).add(alphas.sum().mul(slope)).sum();
    };
    return {
      count,
      length,
      loss,
      trainingLoss: (model) => {
        const own = loss(model);
        return { loss: own, total: own };
      },
      tally: () => ({ finite: true, count, sums: { accuracy: count } }),
    };
  }
}

/** A search on a known supernet: w = 1 and the alphas 0.5 and -0.5 at first, all rates plain unless they are given. */
export function beginKnown(
  definition: AnyWeightSharingDefinition,
  task: KnownTask,
  given: Readonly<Record<string, Json>> = {},
): {
  readonly search: SupernetSearch<KnownSupernet>;
  readonly supernet: KnownSupernet;
  readonly seed: number;
} {
  const supernet = new KnownSupernet(1, [0.5, -0.5]);
  const schema = definition.options(imageClassification);
  // Not every search moves alphas along a gradient.
  const has = (name: string) => name in (schema as unknown as z.ZodObject).shape;
  const options = resolveOptions('options', schema, {
    epochs: 1,
    batchSize: 1,
    momentum: 0,
    weightDecay: 0,
    clip: 1000,
    ...(has('nesterov') ? { nesterov: false } : {}),
    ...(has('alphaWeightDecay') ? { alphaWeightDecay: 0 } : {}),
    ...given,
  });
  const seed = 7;
  const space = Space.configure(
    defineSpace({
      name: 'known',
      // biome-ignore lint/correctness/useYield: there is nothing to choose
      *choices() {
        return {};
      },
    }),
  );
  const search = definition.create({
    space,
    task,
    supernet: supernet as unknown as SearchedSupernet<KnownSupernet>,
    options,
    seed,
  });
  return { search, supernet, seed };
}
