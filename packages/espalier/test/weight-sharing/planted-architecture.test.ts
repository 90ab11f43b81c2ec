import { manualSeed, noGrad, randn, scope, setThreads, type Tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { Means, type Sums } from '../../src/measures/accumulator.js';
import { loss as lossMeasure } from '../../src/measures/loss.js';
import type { AutoDeepLab } from '../../src/networks/auto-deeplab/architecture.js';
import { resolveOptions } from '../../src/space/options.js';
import { Space } from '../../src/space/space.js';
import { autoDeepLab } from '../../src/spaces/auto-deeplab.js';
import { AutoDeepLabSupernet } from '../../src/supernets/auto-deeplab.js';
import { semanticSegmentation } from '../../src/tasks/semantic-segmentation/definition.js';
import type { Batch, Part, PassOptions, Task } from '../../src/tasks/task.js';
import { autoDeepLabSearch } from '../../src/weight-sharing/auto-deeplab.js';
import type { SearchedSupernet } from '../../src/weight-sharing/supernet-search.js';

setThreads(1);

interface Model {
  forward(images: Tensor): Tensor;
}

const SIDE = 17;
const BATCHES = 4;

/** The mean square distance to what a planted architecture makes of random images, with the same shared weights. */
class Planted implements Task<Model, Sums> {
  readonly measures = [lossMeasure] as const;
  readonly timeSteps = 1;
  readonly independentBatches = true;
  readonly #images: Tensor[];
  readonly #targets: Tensor[];

  constructor(supernet: AutoDeepLabSupernet, planted: AutoDeepLab) {
    manualSeed(11);
    this.#images = Array.from({ length: BATCHES }, () =>
      randn([4, 3, SIDE, SIDE], { dtype: 'float64' }).keep(),
    );
    this.#targets = this.#images.map((images) =>
      scope(() => noGrad(() => supernet.forwardPath(images, planted))).keep(),
    );
  }

  count(): number {
    return BATCHES;
  }

  batchCount(): number {
    return BATCHES;
  }

  *pass(_: Part, __: PassOptions): Generator<Batch<Model, Sums>, void, undefined> {
    for (let place = 0; place < BATCHES; place++) {
      const loss = (model: Model) =>
        model
          .forward(this.#images[place]!)
          .sub(this.#targets[place]!)
          .square()
          .mean()
          // Adam must not see nothing but its epsilon.
          .div(this.#targets[place]!.square().mean().item());
      yield {
        count: 1,
        length: 1,
        loss,
        trainingLoss(model) {
          const own = loss(model);
          return { loss: own, total: own };
        },
        tally: (model) => ({ finite: true, count: 1, sums: { loss: loss(model).item() } }),
      };
    }
  }

  accumulator(): Means {
    return new Means();
  }

  /** The distance of one architecture. */
  distance(supernet: AutoDeepLabSupernet, architecture: AutoDeepLab): number {
    return scope(() =>
      noGrad(() =>
        this.#images.reduce(
          (sum, images, place) =>
            sum +
            supernet.forwardPath(images, architecture).sub(this.#targets[place]!).square().mean().item(),
          0,
        ),
      ),
    );
  }

  free(): void {
    for (const tensor of [...this.#images, ...this.#targets]) tensor.free();
  }
}

/**
 * Evaluation, with norms in the cells that fit their inputs, and heads that make nothing of nothing. With the statistics of
 * batches, the norm after a sum would undo the scale that beta gives its terms, and the mixture would not come to equal a path
 * when the softmax decides for it.
 */
function calibrate(supernet: AutoDeepLabSupernet): void {
  manualSeed(6);
  supernet.train();
  for (let pass = 0; pass < 30; pass++)
    scope(() => noGrad(() => supernet.forward(randn([4, 3, SIDE, SIDE], { dtype: 'float64' }))));
  supernet.eval();
  noGrad(() => {
    for (const [name, value] of supernet.stateDict()) {
      if (!name.startsWith('heads.')) continue;
      if (name.endsWith('running_var')) value.fill_(1);
      if (name.endsWith('running_mean') || name.endsWith('bias')) value.fill_(0);
    }
  });
}

const OPTIONS = { layers: 2, blocks: 1, filterMultiplier: 2, firstLayerMayHalve: true };

describe('a joint search on a toy problem that can be enumerated', () => {
  it.each<AutoDeepLab>([
    { path: [0, 0], cell: [[1, 0, 'sep_conv_3x3', 'atrous_conv_3x3']] },
    { path: [1, 1], cell: [[1, 0, 'skip_connect', 'sep_conv_5x5']] },
    { path: [0, 1], cell: [[1, 0, 'max_pool_3x3', 'skip_connect']] },
  ])('finds the planted path and operations: %j', (planted) => {
    manualSeed(5);
    const supernet = new AutoDeepLabSupernet(
      { channels: 3, height: SIDE, width: SIDE, classes: 2 },
      { ...OPTIONS, stemChannels: 4 },
      { secondInput: 'nearest' },
    );
    supernet.to({ dtype: 'float64' });
    calibrate(supernet);
    supernet.train = () => supernet;
    const task = new Planted(supernet, planted);
    const space = Space.configure(autoDeepLab, OPTIONS);

    const all = [...space.enumerate()]
      .map((sequence) => space.decode(sequence) as AutoDeepLab)
      // What a search can derive: both inputs of a block, each with an operation.
      .filter(({ cell }) => {
        const [first, second, ...operations] = cell[0]!;
        return first === 1 && second === 0 && !operations.includes('none');
      });
    expect(all).toHaveLength(5 * 49);
    const distances = all.map((one) => task.distance(supernet, one));
    const nearest = distances.reduce((best, one, place) => (one < distances[best]! ? place : best), 0);
    expect(all[nearest]).toEqual(planted);

    const options = resolveOptions('the search', autoDeepLabSearch.options(semanticSegmentation), {
      epochs: 40,
      batchSize: 1,
      learningRate: 1e-12,
      finalLearningRate: 1e-12,
      alphaLearningRate: 0.1,
      alphaWeightDecay: 0,
      warmUp: 0,
    }) as never;
    const search = autoDeepLabSearch.create({
      space,
      task: task as Task<object>,
      supernet: supernet as unknown as SearchedSupernet<object>,
      options,
      seed: 1,
    });
    while (!search.trained) for (const _ of search.trainEpoch());
    const found = supernet.derive() as AutoDeepLab;
    const sorted = (architecture: AutoDeepLab) => ({
      path: architecture.path,
      cell: architecture.cell.map(([first, second, onFirst, onSecond]) =>
        first > second ? [first, second, onFirst, onSecond] : [second, first, onSecond, onFirst],
      ),
    });
    expect(sorted(found)).toEqual(sorted(planted));
    search.free();
    task.free();
    supernet.free();
  });
});
