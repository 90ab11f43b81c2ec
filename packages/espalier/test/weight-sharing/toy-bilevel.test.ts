import { nn, setThreads, stack, type Tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import type { ImagesInMemory } from '../../src/data/image-dataset.js';
import { Random } from '../../src/random/random.js';
import { choose, type Program } from '../../src/space/language.js';
import { resolveOptions } from '../../src/space/options.js';
import { defineSpace, Space } from '../../src/space/space.js';
import { Alphas, type Relaxation } from '../../src/supernets/alphas.js';
import { imageClassification } from '../../src/tasks/image-classification/definition.js';
import { ImageClassification } from '../../src/tasks/image-classification/image-classification.js';
import { evaluate } from '../../src/tasks/task.js';
import { NetworkTraining } from '../../src/training/network-training.js';
import { initialised } from '../../src/training/train-child.js';
import { darts } from '../../src/weight-sharing/darts.js';
import type { AnyWeightSharingDefinition } from '../../src/weight-sharing/definition.js';
import { gdas } from '../../src/weight-sharing/gdas.js';
import { randomWeightSharing } from '../../src/weight-sharing/random-ws.js';
import { tinySet } from '../data/tiny-set.js';
import { settingsOf } from '../training/tiny-task.js';

setThreads(1);

/** The operations of an edge, each of which maps a pair of numbers to one. */
const OPERATIONS = {
  sum: (u: Tensor, v: Tensor) => u.add(v),
  product: (u: Tensor, v: Tensor) => u.mul(v),
  squares: (u: Tensor, v: Tensor) => u.square().sub(v.square()),
} as const;
type Operation = keyof typeof OPERATIONS;
const names = Object.keys(OPERATIONS) as Operation[];

/** The operations of the two edges. */
interface Toy {
  readonly edges: readonly [Operation, Operation];
}

/** Images of pixels u, v, w, z in [-1, 1]. The class is whether 2uv + w^2 - z^2 is positive. */
function images(count: number, seed: number): ImagesInMemory {
  const random = Random.of(seed, 'toy');
  const pixels = Array.from({ length: count }, () => Array.from({ length: 4 }, () => random.below(256)));
  const labels = pixels.map((image) => {
    const [u, v, w, z] = image.map((pixel) => pixel / 127.5 - 1) as [number, number, number, number];
    return 2 * u * v + w * w - z * z > 0 ? 1 : 0;
  });
  return tinySet([count, 2, 2, 1], pixels.flat(), labels);
}

/** An edge from each pair of pixels, and a linear classifier of the two values. */
class ToyNetwork extends nn.Layer {
  readonly classifier = new nn.Linear(2, 2);

  constructor(private readonly edges?: readonly [Operation, Operation]) {
    super();
  }

  /** @param mix the value of an edge, from the values of its operations */
  protected run(image: Tensor, mix: (edge: number, values: readonly Tensor[]) => Tensor): Tensor {
    const pixels = image.flatten(1).unbind(1);
    const edges = [0, 1].map((edge) => {
      const [u, v] = [pixels[2 * edge] as Tensor, pixels[2 * edge + 1] as Tensor];
      return mix(
        edge,
        names.map((name) => OPERATIONS[name](u, v)),
      );
    });
    return this.classifier.forward(stack(edges, 1));
  }

  forward(image: Tensor): Tensor {
    return this.forwardPath(image, { edges: this.edges as [Operation, Operation] });
  }

  forwardPath(image: Tensor, { edges }: Toy): Tensor {
    return this.run(image, (edge, values) => values[names.indexOf(edges[edge] as Operation)] as Tensor);
  }
}

class ToySupernet extends ToyNetwork {
  readonly #alphas = new Alphas(2, names.length);

  architectureParameters() {
    return { edges: this.#alphas.values };
  }

  relax(relaxation: Relaxation): void {
    this.#alphas.relaxation = relaxation;
  }

  override forward(image: Tensor): Tensor {
    const weights = this.#alphas.weights();
    return this.run(image, (edge, values) =>
      values.map((value, k) => value.mul(weights[edge]?.[k] as Tensor)).reduce((sum, term) => sum.add(term)),
    );
  }

  derive(): Toy {
    const best = this.#alphas
      .weightNumbers()
      .map((weights) => names[weights.indexOf(Math.max(...weights))] as Operation);
    return { edges: best as [Operation, Operation] };
  }
}

const space = Space.configure(
  defineSpace({
    name: 'toy',
    *choices(): Program<Toy> {
      return { edges: [yield* choose('edges.0', names), yield* choose('edges.1', names)] };
    },
    network: ({ edges }: Toy) => new ToyNetwork(edges),
    supernet: () => new ToySupernet(),
  }),
);

const task = new ImageClassification(
  {
    train: images(200, 1),
    validation: images(200, 2),
    test: images(2, 3),
    statistics: { mean: Float64Array.of(0.5), standardDeviation: Float64Array.of(0.5) },
    augmentation: {},
  },
  settingsOf({ augment: false }),
);

/** The validation accuracy of an architecture that is trained alone. */
function trained(architecture: Toy): number {
  const network = initialised(() => new ToyNetwork(architecture.edges), 1);
  const settings = settingsOf({ epochs: 20, batchSize: 20, learningRate: 0.2 });
  const training = new NetworkTraining({ task, network, settings, seed: 1 });
  while (!training.trained) for (const _ of training.trainEpoch());
  const { accuracy } = evaluate(task, network.eval(), 'validation', { size: 200 });
  training.free();
  network.free();
  return accuracy as number;
}

const all = names.flatMap((first) => names.map((second): Toy => ({ edges: [first, second] })));
const optimum: Toy = { edges: ['product', 'squares'] };

describe('a bilevel problem that exhaustive search can solve', () => {
  it('has one optimum, by a wide margin', () => {
    const accuracies = new Map(all.map((architecture) => [architecture.edges.join(), trained(architecture)]));
    expect(accuracies.get(optimum.edges.join())).toBeGreaterThan(0.95);
    accuracies.delete(optimum.edges.join());
    expect(Math.max(...accuracies.values())).toBeLessThan(0.85);
  });

  it.each<[string, AnyWeightSharingDefinition, object]>([
    ['DARTS of first order', darts, { order: 1, alphaLearningRate: 0.05 }],
    ['DARTS of second order', darts, { order: 2, alphaLearningRate: 0.05 }],
    ['GDAS', gdas, { alphaLearningRate: 0.05, tauLast: 1 }],
    ['random search with weight sharing', randomWeightSharing, { candidates: 50, finalists: 3, batches: 10 }],
  ])('%s finds its optimum', (_, definition, given) => {
    for (const seed of [1, 2, 3]) {
      const supernet = initialised(() => new ToySupernet(), seed);
      const options = resolveOptions('options', definition.options(imageClassification), {
        epochs: 10,
        batchSize: 20,
        learningRate: 0.2,
        augment: false,
        ...given,
      });
      const search = definition.create({ space, task, supernet, options, seed });
      while (!search.trained) {
        for (const _step of search.trainEpoch());
        search.endEpoch();
      }
      const choice = search.choose();
      let next = choice.next();
      while (!next.done) next = choice.next();
      expect(next.value.architecture).toEqual(optimum);
      search.free();
      supernet.free();
    }
  });
});
