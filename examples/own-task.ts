/**
 * A task of one's own: predicting a number from the rows of a CSV file. The last column is the number; every fifth row is
 * for testing.
 *
 *     espalier search --space examples/small-mlp.ts --task examples/own-task.ts --strategy random \
 *       --data csv:examples/own-task-data.csv --trials 8 --epochs 20
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  type Accumulator,
  type Batch,
  defineTask,
  InputError,
  type Measure,
  type nn,
  noGrad,
  optimiserOptions,
  type Part,
  Random,
  scope,
  type Task,
  type Tensor,
  tensor,
  tensorKind,
  z,
} from 'espalier';

const mse: Measure = { name: 'mse', better: 'lower', least: 0 };
const r2: Measure = { name: 'r2', better: 'higher', most: 1 };

/** What networks read and give: [N, features] to [N, 1]. */
const rows = tensorKind<{ features: number }>({
  reads: 'rows',
  form: 'an nn.Layer from [N, features] to [N, 1]',
  names: { input: 'row', inputs: 'rows', output: 'prediction' },
  shape: ({ features }) => [features],
  usualInput: () => ({ features: 3 }),
  inputOptions: z.strictObject({ features: z.int().min(1).optional().describe('columns of a row') }),
});

/** What an evaluation collects. R^2 is no mean over batches: it needs the sums of all rows. */
interface Squares {
  readonly finite: boolean;
  readonly count: number;
  readonly error: number;
  readonly sum: number;
  readonly squares: number;
}

class RegressionMeasures implements Accumulator<Squares> {
  #count = 0;
  #error = 0;
  #sum = 0;
  #squares = 0;

  add({ count, error, sum, squares }: Squares) {
    this.#count += count;
    this.#error += error;
    this.#sum += sum;
    this.#squares += squares;
  }

  measures() {
    const spread = this.#squares - this.#sum ** 2 / this.#count;
    return { mse: this.#error / this.#count, r2: 1 - this.#error / spread };
  }
}

/** The mean and the standard deviation of each column of the training rows. */
type Scale = { mean: number[]; std: number[] };

class Regression implements Task<nn.Layer, Squares> {
  readonly measures = [mse, r2] as const;
  readonly timeSteps = 1;
  readonly independentBatches = true;

  constructor(
    private readonly parts: Record<Part, number[][]>,
    private readonly scale: Scale,
  ) {}

  count(part: Part) {
    return this.parts[part].length;
  }

  batchCount(part: Part, size: number) {
    return Math.ceil(this.count(part) / size);
  }

  *pass(part: Part, { size, training }: { size: number; training?: { seed: number; epoch: number } }) {
    const all = this.parts[part];
    const order = training
      ? Random.of(training.seed, `epoch ${training.epoch}`).permutation(all.length)
      : all.keys();
    const ordered = [...order].map((index) => all[index]!);
    for (let from = 0; from < ordered.length; from += size)
      yield this.#batch(ordered.slice(from, from + size));
  }

  accumulator() {
    return new RegressionMeasures();
  }

  #batch(batch: number[][]): Batch<nn.Layer, Squares> {
    const { scale } = this;
    const { mean, std } = scale;
    const last = mean.length - 1;
    const inputs = () => tensor(batch.map((row) => standardised(row.slice(0, last), scale)));
    const loss = (model: nn.Layer) => {
      const targets = tensor(batch.map((row) => [(row[last]! - mean[last]!) / std[last]!]));
      const difference = model.forward(inputs()).sub(targets);
      return difference.mul(difference).mean();
    };
    return {
      count: batch.length,
      length: 1,
      loss,
      trainingLoss(model) {
        const value = loss(model);
        return { loss: value, total: value };
      },
      tally(model) {
        const predicted = unscaled(model.forward(inputs()), scale);
        const targets = batch.map((row) => row[last]!);
        return {
          finite: predicted.every(Number.isFinite),
          count: batch.length,
          error: targets.reduce((sum, target, i) => sum + (predicted[i]! - target) ** 2, 0),
          sum: targets.reduce((sum, target) => sum + target, 0),
          squares: targets.reduce((sum, target) => sum + target ** 2, 0),
        };
      },
    };
  }
}

export default defineTask({
  name: 'csv-regression',
  networks: rows,
  measures: [mse, r2],
  training: {
    options: z.strictObject(
      optimiserOptions(
        {
          epochs: 40,
          batchSize: 16,
          learningRate: 0.05,
          momentum: 0.9,
          nesterov: true,
          weightDecay: 1e-4,
          clip: 1,
          decay: 0.97,
        },
        'rows',
      ),
    ),
    paper: () => ({ schedule: 'cosine' }),
    small: { epochs: 20, schedule: 'cosine' },
    child: () => ({}),
    smallChild: { epochs: 10 },
  },
  dataForms: ['csv:FILE'],
  heldOut: true,
  open({ data, limit, validation, seed }, { validationShare = 0.2 } = {}) {
    const [kind, file] = data.split(/:(.*)/s);
    if (kind !== 'csv' || !file) throw new InputError(`data "${data}": write csv:FILE`);
    const { columns, rows: all } = readCsv(file, FEWEST_ROWS);
    const test = all.filter((_, i) => i % 5 === 4);
    const rest = all.filter((_, i) => i % 5 !== 4).slice(0, limit);
    const heldOut = validation ?? Math.ceil(rest.length * validationShare);
    if (heldOut >= rest.length)
      throw new InputError(`validation ${heldOut}: allowed: less than the ${rest.length} training rows`);
    const order = [...Random.of(seed, 'held out').permutation(rest.length)];
    const train = order.slice(heldOut).map((i) => rest[i]!);
    const scale = scaleOf(train);
    const parts = { train, validation: order.slice(0, heldOut).map((i) => rest[i]!), test };
    return {
      input: { features: columns.length - 1 },
      checksum: () => createHash('sha256').update(readFileSync(file)).digest('hex'),
      signature: { columns, ...scale },
      task: () => new Regression(parts, scale),
      requireTrainable(network, space) {
        const shape = scope(() =>
          noGrad(() => (network as nn.Layer).forward(tensor([new Array(columns.length - 1).fill(0)])).shape),
        );
        if (shape.join() !== '1,1')
          throw new InputError(`space ${space}: its network gives [${shape}] for a row; needed: [1, 1]`);
      },
    };
  },
  predict({ network, file, signature, input, space }) {
    if (signature === undefined)
      throw new InputError(
        'the weights come without the scale of their training; name the folder of a training',
      );
    const scale = signature as unknown as Scale;
    const { rows: given } = readCsv(file, 1);
    const short = given.findIndex((row) => row.length < input.features);
    if (short >= 0)
      throw new InputError(
        `${file}:${short + 2}: has ${given[short]!.length} columns; the network reads ${input.features}`,
      );
    const predictions = scope(() =>
      noGrad(() => {
        const rows = given.map((row) => standardised(row.slice(0, input.features), scale));
        return unscaled(network.forward(tensor(rows)), scale);
      }),
    );
    return {
      json: { space: space.name, input, predictions },
      lines: predictions.map((value) => value.toFixed(3)),
    };
  },
});

function standardised(row: number[], { mean, std }: Scale): number[] {
  return row.map((value, i) => (value - mean[i]!) / std[i]!);
}

/** The predictions in the unit of the last column. */
function unscaled(output: Tensor, { mean, std }: Scale): number[] {
  return output.toNumbers().map((value) => value * std.at(-1)! + mean.at(-1)!);
}

function scaleOf(rows: number[][]): Scale {
  const columns = rows[0]!.map((_, i) => rows.map((row) => row[i]!));
  const mean = columns.map((column) => column.reduce((sum, value) => sum + value, 0) / column.length);
  const std = columns.map((column, i) =>
    Math.sqrt(column.reduce((sum, value) => sum + (value - mean[i]!) ** 2, 0) / column.length),
  );
  // A column with one value only cannot be scaled.
  return { mean, std: std.map((value) => value || 1) };
}

/** Fewer rows cannot be divided into training, validation and test. */
const FEWEST_ROWS = 10;

/** Numbers under a line of column names. */
function readCsv(file: string, fewest: number): { columns: string[]; rows: number[][] } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError(`${file}: ${(error as Error).message}`);
  }
  const [head = '', ...lines] = text.trimEnd().split(/\r?\n/);
  const rows = lines.map((line, i) => {
    const values = line.split(',').map(Number);
    if (!values.every(Number.isFinite)) throw new InputError(`${file}:${i + 2}: not numbers: ${line}`);
    return values;
  });
  if (rows.length < fewest)
    throw new InputError(`${file}: has ${rows.length} rows; at least ${fewest} are needed`);
  return { columns: head.split(','), rows };
}
