/**
 * A dense task of one's own: the depth of each pixel. `DIR/images` has images, `DIR/depth` a grey image of the same name
 * for each: a tenth of a metre for each step of grey, 0 where the depth is unknown. Every fifth pair is for testing.
 *
 *     espalier search --space auto-deeplab --task examples/depth-task.ts --strategy auto-deeplab --data depth:DIR
 *
 * The space builds segmenters; here they give one map, the depth, in place of a map of logits for each class.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Accumulator,
  type Batch,
  cat,
  defineTask,
  InputError,
  images,
  type Measure,
  type nn,
  noGrad,
  optimiserOptions,
  type Part,
  type PassOptions,
  Random,
  readImage,
  scope,
  type Task,
  type Tensor,
  z,
  zeros,
} from 'espalier';

const rmse: Measure = { name: 'rmse', better: 'lower', least: 0 };
const mae: Measure = { name: 'mae', better: 'lower', least: 0 };

/** Metres for each step of grey. */
const STEP = 0.1;

/** An image as uint8 [1, 3, height, width], and its depth in steps of grey as uint8 [1, 1, height, width]. */
interface Pair {
  readonly image: Tensor;
  readonly depth: Tensor;
}

/** What a batch adds, over all pixels whose depth is known. */
interface Errors {
  readonly finite: boolean;
  readonly pixels: number;
  readonly absolute: number;
  readonly squared: number;
}

class DepthMeasures implements Accumulator<Errors> {
  #pixels = 0;
  #absolute = 0;
  #squared = 0;

  add({ pixels, absolute, squared }: Errors) {
    this.#pixels += pixels;
    this.#absolute += absolute;
    this.#squared += squared;
  }

  measures() {
    if (this.#pixels === 0) throw new InputError('no pixel has a known depth, so nothing can be measured');
    return { rmse: Math.sqrt(this.#squared / this.#pixels), mae: this.#absolute / this.#pixels };
  }
}

class Depth implements Task<nn.Layer, Errors> {
  readonly measures = [rmse, mae] as const;
  readonly timeSteps = 1;
  readonly independentBatches = true;

  constructor(private readonly parts: Readonly<Record<Part, readonly Pair[]>>) {}

  count(part: Part) {
    return this.parts[part].length;
  }

  batchCount(part: Part, size: number) {
    return Math.ceil(this.count(part) / size);
  }

  *pass(part: Part, { size, training }: PassOptions) {
    const pairs = this.parts[part];
    const order = training
      ? Random.of(training.seed, `epoch ${training.epoch}`).permutation(pairs.length)
      : pairs.keys();
    const ordered = [...order].map((place) => pairs[place]!);
    for (let from = 0; from < ordered.length; from += size)
      yield this.#batch(ordered.slice(from, from + size));
  }

  accumulator() {
    return new DepthMeasures();
  }

  #batch(pairs: readonly Pair[]): Batch<nn.Layer, Errors> {
    /** Errors in metres, 0 where the depth is unknown, and how many pixels are known. */
    const errors = (model: nn.Layer) => {
      const depth = cat(pairs.map((pair) => pair.depth)).to({ dtype: 'float32' });
      const known = depth.gt(0).to({ dtype: 'float32' });
      const predicted = model.forward(standardised(cat(pairs.map(({ image }) => image))));
      return { values: predicted.sub(depth.mul(STEP)).mul(known), pixels: known.sum().item() };
    };
    const loss = (model: nn.Layer) => {
      const { values, pixels } = errors(model);
      return values
        .abs()
        .sum()
        .div(pixels || 1);
    };
    return {
      count: pairs.length,
      length: 1,
      loss,
      trainingLoss(model) {
        const value = loss(model);
        return { loss: value, total: value };
      },
      tally(model) {
        const { values, pixels } = errors(model);
        const [absolute, squared] = [values.abs().sum().item(), values.square().sum().item()];
        return { finite: Number.isFinite(squared), pixels, absolute, squared };
      },
    };
  }
}

const usual = {
  epochs: 40,
  batchSize: 4,
  learningRate: 0.01,
  momentum: 0.9,
  weightDecay: 1e-4,
  clip: 5,
} as const;

export default defineTask({
  name: 'depth',
  networks: images,
  measures: [rmse, mae],
  training: {
    options: z.strictObject(optimiserOptions({ ...usual, nesterov: false, decay: 0.97 }, 'images')),
    paper: () => ({ schedule: 'cosine' }),
    small: { epochs: 10, schedule: 'cosine' },
    child: () => ({}),
    smallChild: { epochs: 2 },
  },
  supernet: {
    options: {
      epochs: z.int().min(1).default(usual.epochs).describe('passes over the training data'),
      batchSize: z.int().min(1).default(usual.batchSize).describe('images of a step'),
      learningRate: z.number().positive().default(usual.learningRate).describe('of the weights at first'),
      finalLearningRate: z.number().min(0).default(0.001).describe('of the weights in the end'),
      momentum: z.number().min(0).lt(1).default(usual.momentum).describe('momentum of the weights'),
      weightDecay: z.number().min(0).default(usual.weightDecay).describe('weight decay of the weights'),
      clip: z.number().positive().default(usual.clip).describe("greatest norm of the weights' gradient"),
      device: z.string().default('cpu').describe('device that trains the supernet'),
    },
    alpha: { learningRate: 3e-3, beta1: 0.9 },
  },
  dataForms: ['depth:DIR'],
  heldOut: true,
  async open({ data, limit, validation, seed }, { validationShare = 0.2 } = {}) {
    const [kind, folder] = data.split(/:(.*)/s);
    if (kind !== 'depth' || !folder) throw new InputError(`data "${data}": write depth:DIR`);
    const names = namesIn(folder);
    const test = names.filter((_, place) => place % 5 === 4);
    const rest = names.filter((_, place) => place % 5 !== 4).slice(0, limit);
    const heldOut = validation ?? Math.ceil(rest.length * validationShare);
    if (heldOut >= rest.length)
      throw new InputError(`validation ${heldOut}: allowed: less than the ${rest.length} training images`);
    const order = [...Random.of(seed, 'held out').permutation(rest.length)].map((place) => rest[place]!);
    const read = (some: readonly string[]) => Promise.all(some.map((name) => readPair(folder, name)));
    const parts = {
      train: await read(order.slice(heldOut)),
      validation: await read(order.slice(0, heldOut)),
      test: await read(test),
    };
    const [, , height, width] = parts.train[0]!.image.shape as [number, number, number, number];
    for (const [part, pairs] of Object.entries(parts))
      for (const { image } of pairs)
        if (image.shape[2] !== height || image.shape[3] !== width)
          throw new InputError(
            `${folder}: a ${part} image has ${image.shape.slice(2).join(' x ')} pixels, another ${height} x ${width}; all need one size`,
          );
    return {
      input: { channels: 3, height, width, classes: 1 },
      checksum() {
        const hash = createHash('sha256');
        for (const name of names)
          for (const part of ['images', 'depth']) hash.update(readFileSync(join(folder, part, name)));
        return hash.digest('hex');
      },
      signature: { metresPerStep: STEP },
      task: () => new Depth(parts),
      requireTrainable(network, space) {
        const input = zeros([1, 3, height, width]);
        const shape = scope(() => noGrad(() => (network as nn.Layer).eval().forward(input).shape));
        input.free();
        if (shape.join() !== [1, 1, height, width].join())
          throw new InputError(
            `space ${space}: its network gives [${shape}] for an image; needed: [1, 1, ${height}, ${width}], the depth of each pixel`,
          );
      },
    };
  },
  async predict({ network, file, space }) {
    const image = await readImage(file, 3);
    const depth = scope(() => noGrad(() => network.forward(standardised(image)).toNumbers()));
    const [, , height, width] = image.shape as [number, number, number, number];
    image.free();
    const rows = Array.from({ length: height }, (_, row) => depth.slice(row * width, (row + 1) * width));
    const mean = depth.reduce((sum, value) => sum + value, 0) / depth.length;
    return {
      json: { space: space.name, height, width, metres: rows },
      lines: [`${file}: ${mean.toFixed(2)} m on average, of ${height} x ${width} pixels`],
    };
  },
});

/** Of brightness around 0. */
const standardised = (image: Tensor): Tensor => image.to({ dtype: 'float32' }).sub(128).div(64);

/** Fewer pairs cannot be divided into training, validation and test. */
const FEWEST_PAIRS = 5;

function namesIn(folder: string): string[] {
  const list = (part: string) => {
    const path = join(folder, part);
    if (!existsSync(path))
      throw new InputError(`${path}: no such folder; depth:DIR has DIR/images and DIR/depth`);
    return readdirSync(path).sort();
  };
  const [names, depths] = [list('images'), new Set(list('depth'))];
  const missing = names.find((name) => !depths.has(name));
  if (missing !== undefined)
    throw new InputError(`${join(folder, 'depth', missing)}: missing; ${missing} is in images`);
  if (names.length < FEWEST_PAIRS)
    throw new InputError(`${folder}: has ${names.length} images; at least ${FEWEST_PAIRS} are needed`);
  return names;
}

async function readPair(folder: string, name: string): Promise<Pair> {
  const [image, depth] = await Promise.all([
    readImage(join(folder, 'images', name), 3),
    readImage(join(folder, 'depth', name), 1),
  ]);
  if (image.shape.slice(2).join() !== depth.shape.slice(2).join())
    throw new InputError(
      `${join(folder, 'depth', name)}: has ${depth.shape.slice(2).join(' x ')} pixels; its image has ${image.shape.slice(2).join(' x ')}`,
    );
  return { image: image.keep(), depth: depth.keep() };
}
