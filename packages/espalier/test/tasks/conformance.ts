import { liveTensors, manualSeed, type nn, scope, setThreads } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/input-error.js';
import type { Tally } from '../../src/measures/accumulator.js';
import { decidingValue, type Measures } from '../../src/measures/measure.js';
import { Random } from '../../src/random/random.js';
import { resolveOptions } from '../../src/space/options.js';
import { Space } from '../../src/space/space.js';
import { type Batch, evaluate, type Part, type Task } from '../../src/tasks/task.js';
import type { AnyTaskDefinition, OpenedData } from '../../src/tasks/task-definition.js';
import type { TaskSettings } from '../../src/tasks/task-settings.js';
import { NetworkTraining, type OptimiserSettings } from '../../src/training/network-training.js';
import { initialised } from '../../src/training/train-child.js';
import { expectGradients } from '../networks/finite-differences.js';

setThreads(1);

/** A task with small data, and a space of small networks for it. */
export interface TaskCase {
  readonly definition: AnyTaskDefinition;
  readonly settings: TaskSettings;
  readonly space: Space;
  /** Options of a training that differ from the defaults of the task. */
  readonly training?: Readonly<Record<string, unknown>>;
  /** Divides no part of the data, so that the last batch is a short one. */
  readonly batchSize: number;
  /**
   * Options and the batch size with which a part of the data is one batch: of a text the usual batch size, and a BPTT
   * length beyond the text.
   */
  readonly oneBatch: { readonly size: number; readonly training?: Readonly<Record<string, unknown>> };
  /** Names of the inputs and outputs of a network's trace, in order. */
  readonly traced: { readonly inputs: readonly string[]; readonly outputs: readonly string[] };
  /** The network, now in float64, as something to call with the task's own data. */
  float64(network: nn.Module): object;
  /** Settings that do not fit, and the message of the InputError. */
  readonly wrong: readonly (readonly [what: string, Partial<TaskSettings>, message: string | RegExp])[];
}

const PARTS: readonly Part[] = ['train', 'validation', 'test'];

/** Relative, with float32 sums in different orders. */
const PRECISION = 1e-5;

function expectEqualMeasures(found: Measures, expected: Measures): void {
  expect(Object.keys(found)).toEqual(Object.keys(expected));
  for (const [name, value] of Object.entries(expected))
    expect(
      Math.abs(found[name]! - value),
      `${name} is ${found[name]}, expected ${value}`,
    ).toBeLessThanOrEqual(PRECISION * Math.max(1, Math.abs(value)));
}

/** What every task has to do, whatever its data. */
export function conformsToTask(given: TaskCase): void {
  const { definition, settings, space, batchSize, oneBatch, traced } = given;
  const { networks, training } = definition;

  const optionsOf = (more: Readonly<Record<string, unknown>> = {}) =>
    resolveOptions('the training', training.options, { ...given.training, ...more });

  async function opened(): Promise<OpenedData<object, object>> {
    return definition.open(settings);
  }

  /** A network, its data and its loss. The weights are those of a seed. */
  async function ready(more: Readonly<Record<string, unknown>> = {}) {
    const data = await opened();
    const options = optionsOf(more);
    const architecture = space.decode(space.sample(Random.of(3, 'architecture')));
    const network: nn.Module = initialised(() => networks.build(space, architecture, data.input), 1);
    return { data, options, network, task: data.task(options) };
  }

  /** Work on a network, which is freed after it. */
  async function withNetwork(
    body: (made: Awaited<ReturnType<typeof ready>>) => void,
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    const made = await ready(more);
    try {
      body(made);
    } finally {
      made.network.free();
    }
  }

  describe('the definition', () => {
    it('has a name, data forms, networks that the space builds, and measures with names of their own', () => {
      expect(definition.name).toMatch(/^[a-z][a-z0-9-]*$/);
      expect(definition.dataForms.length).toBeGreaterThan(0);
      expect(space.definition.reads ?? 'images').toBe(networks.reads);
      const names = definition.measures.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
    });

    it('has training options with defaults and descriptions, those of the optimiser among them', () => {
      const { shape } = training.options;
      const defaults = training.options.parse({});
      expect(Object.keys(defaults)).toEqual(Object.keys(shape));
      expect(defaults).toMatchObject({
        epochs: expect.any(Number),
        batchSize: expect.any(Number),
        learningRate: expect.any(Number),
        schedule: expect.stringMatching(/^(constant|cosine|exponential)$/),
        decay: expect.any(Number),
        momentum: expect.any(Number),
        nesterov: expect.any(Boolean),
        weightDecay: expect.any(Number),
        clip: expect.any(Number),
        device: 'cpu',
      });
      for (const [name, option] of Object.entries(shape)) expect(described(option), name).toMatch(/\S/);
      expect(() => optionsOf({ noSuchOption: 1 })).toThrow(InputError);
    });

    it('has presets that are options of its training, alone and over one another', () => {
      const { small, smallChild } = training;
      const child = training.child(space);
      const presets = { child, small, smallChild, paper: training.paper(space) };
      for (const [name, preset] of Object.entries(presets))
        for (const under of [{}, child])
          expect(() => resolveOptions(name, training.options, { ...under, ...preset }), name).not.toThrow();
    });

    if (training.tuning !== undefined) {
      it('has a grid of options of its training and of the space, with values that these take', () => {
        const { grid, training: base } = training.tuning!(space, 10);
        for (const [path, values] of Object.entries(grid)) {
          const [owner, name] = path.split('.') as ['training' | 'space', string];
          expect(new Set(values).size, path).toBeGreaterThan(1);
          for (const value of values)
            if (owner === 'training') expect(() => optionsOf({ ...base, [name]: value }), path).not.toThrow();
            else
              expect(() =>
                Space.configure(space.definition, { ...space.options, [name]: value }),
              ).not.toThrow();
        }
        expect(['step', 'exponential']).toContain(base.schedule);
      });
    }

    it('derives options of the space from those of a training, which the space has', () => {
      const own = training.spaceOptions?.(space, optionsOf()) ?? {};
      expect(() => Space.configure(space.definition, { ...space.options, ...own })).not.toThrow();
    });

    it('has options for the weights of a supernet that can go without saying, if it has a supernet', () => {
      const { supernet } = definition;
      if (supernet === undefined) return;
      for (const [name, option] of Object.entries(supernet.options)) {
        expect(described(option), name).toMatch(/\S/);
        expect((option as unknown as { parse(value: undefined): unknown }).parse(undefined)).toBeDefined();
      }
      expect(Object.keys(supernet.options)).toEqual(
        expect.arrayContaining(['epochs', 'batchSize', 'learningRate', 'device']),
      );
      expect(supernet.alpha.learningRate).toBeGreaterThan(0);
    });
  });

  describe('opened data', () => {
    it('has a checksum, and a signature that JSON keeps as it is', async () => {
      const { checksum, signature } = await opened();
      expect(checksum()).toMatch(/^[0-9a-f]{64}$/);
      expect((await opened()).checksum()).toBe(checksum());
      expect(JSON.parse(JSON.stringify(signature))).toStrictEqual(signature);
    });

    it('has the input of a network whose trace has named inputs and outputs, for any batch', () =>
      withNetwork(({ data, network }) => {
        for (const batch of [1, 3]) {
          const { inputs, outputs } = networks.trace(network, data.input, batch);
          expect(Object.keys(inputs)).toEqual(traced.inputs);
          expect(Object.keys(outputs)).toEqual(traced.outputs);
          expect(
            Object.values(inputs)[0]?.shape.slice(networks.batchDimensions - 1)[0],
            'the batch is a dimension of the input',
          ).toBe(batch);
        }
        expect(networks.describeInput(data.input)).toMatch(/\d/);
        expect(JSON.parse(JSON.stringify(data.input))).toEqual(data.input);
      }));

    it('takes a network of the space as trainable', () =>
      withNetwork(({ data, network, options }) => {
        expect(() => data.requireTrainable(network, space.name, options)).not.toThrow();
      }));

    it.each(given.wrong)('is refused with one message: %s', async (_, wrong, message) => {
      const refused = await Promise.resolve()
        .then(() => definition.open({ ...settings, ...wrong }))
        .catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(InputError);
      expect((refused as Error).message).toMatch(message);
      expect((refused as Error).message).not.toContain('\n');
    });
  });

  describe('a pass', () => {
    it('over the training data has as many batches as it says, and reads the same inputs in every order', () =>
      withNetwork(({ task }) => {
        const passed = batchesOf(task, 'train', { size: batchSize, training: { seed: 1, epoch: 1 } });
        const length = passed.reduce((sum, batch) => sum + batch.length, 0);
        expect(Math.ceil(length - 1e-9)).toBe(task.batchCount('train', batchSize));
        const ordered = batchesOf(task, 'train', { size: batchSize });
        expect(countOf(passed)).toBe(countOf(ordered));
        expect(countOf(passed)).toBeLessThanOrEqual(task.count('train'));
        expect(task.timeSteps).toBeGreaterThanOrEqual(1);
      }));

    it('over independent inputs reads each once, in batches of the size but for the last', () =>
      withNetwork(({ task }) => {
        if (!task.independentBatches) return;
        for (const part of PARTS) {
          const counts = batchesOf(task, part, { size: batchSize }).map(({ count }) => count);
          expect(counts).toHaveLength(task.batchCount(part, batchSize));
          expect(counts.reduce((sum, count) => sum + count, 0)).toBe(task.count(part));
          expect(counts.slice(0, -1).every((count) => count === batchSize)).toBe(true);
          expect(counts.at(-1)).toBe(task.count(part) % batchSize);
        }
      }));

    it('is the same for the same seed and epoch, and another for another', () =>
      withNetwork(({ task, network }) => {
        network.eval();
        const losses = (seed: number, epoch: number) =>
          lossesOf(task, network, 'train', { size: batchSize, training: { seed, epoch } });
        expect(losses(1, 1)).toEqual(losses(1, 1));
        const different = (passes: readonly number[][]) => new Set(passes.map(String)).size;
        // A short text may be cut alike twice.
        expect(different([1, 2, 3, 4].map((epoch) => losses(1, epoch)))).toBeGreaterThan(1);
        expect(different([1, 2, 3, 4].map((seed) => losses(seed, 1)))).toBeGreaterThan(1);
      }));
  });

  describe('an evaluation', () => {
    it('has all measures that the task is judged by, within their ranges', () =>
      withNetwork(({ task, network }) => {
        expect(task.measures).toEqual(definition.measures);
        for (const part of PARTS) {
          const found = evaluate(task, network.eval(), part, { size: batchSize });
          for (const measure of definition.measures)
            expect(decidingValue([measure], found)).toBe(found[measure.name]);
        }
      }));

    it('in many batches has the measures of one batch over the whole part', async () => {
      const whole: Partial<Record<Part, Measures>> = {};
      await withNetwork(({ task, network }) => {
        network.eval();
        for (const part of PARTS) {
          const tallies = talliesOf(task, network, part, oneBatch.size);
          expect(tallies).toHaveLength(1);
          whole[part] = measuresOf(task, tallies);
        }
      }, oneBatch.training);
      await withNetwork(({ task, network }) => {
        network.eval();
        const sizes = task.independentBatches ? [1, 2, batchSize, oneBatch.size] : [batchSize];
        for (const part of PARTS)
          for (const size of sizes)
            expectEqualMeasures(evaluate(task, network, part, { size }), whole[part]!);
      });
    });

    it('adds up halves in either order, each evaluation for itself', () =>
      withNetwork(({ task, network }) => {
        network.eval();
        const tallies = talliesOf(task, network, 'validation', batchSize);
        expect(tallies.length).toBeGreaterThan(1);
        const half = Math.ceil(tallies.length / 2);
        const [first, second] = [tallies.slice(0, half), tallies.slice(half)];
        const whole = measuresOf(task, tallies);
        const accumulator = task.accumulator();
        for (const tally of second) accumulator.add(tally);
        // Another one, in between, is not mixed with it.
        expectEqualMeasures(measuresOf(task, second), accumulator.measures());
        expect(measuresOf(task, first)).not.toEqual(accumulator.measures());
        for (const tally of first) accumulator.add(tally);
        expectEqualMeasures(accumulator.measures(), whole);
        // To ask twice changes nothing.
        expect(accumulator.measures()).toEqual(accumulator.measures());
        expectEqualMeasures(evaluate(task, network, 'validation', { size: batchSize }), whole);
      }));

    it('leaves no tensors behind, and the network as it was', () =>
      withNetwork(({ task, network }) => {
        network.eval();
        const state = () => [...network.stateDict()].map(([name, value]) => [name, value.toNumbers()]);
        const before = state();
        evaluate(task, network, 'validation', { size: batchSize });
        const live = liveTensors();
        evaluate(task, network, 'validation', { size: batchSize });
        expect(liveTensors()).toBe(live);
        expect(state()).toEqual(before);
      }));
  });

  describe('the loss', () => {
    it('of a batch is the mean over its inputs, whatever the size of the batch', () =>
      withNetwork(({ task, network }) => {
        network.eval();
        if (!task.independentBatches) return;
        const mean = (size: number) => {
          let [sum, count] = [0, 0];
          for (const batch of task.pass('validation', { size })) {
            sum += batch.count * scope(() => batch.loss(network).item());
            count += batch.count;
          }
          return sum / count;
        };
        expect(mean(batchSize) / mean(oneBatch.size)).toBeCloseTo(1, 5);
      }));

    it('that training reports is a part of the total that it differentiates', () =>
      withNetwork(({ task, network }) => {
        network.train();
        for (const batch of take(task, 'train', { size: batchSize, training: { seed: 1, epoch: 1 } }, 2))
          scope(() => {
            manualSeed(5);
            const plain = batch.loss(network);
            manualSeed(5);
            const { loss, total } = batch.trainingLoss(network);
            expect([plain.shape, loss.shape, total.shape]).toEqual([[], [], []]);
            expect(loss.item()).toBeCloseTo(plain.item(), 5);
            expect(total.item()).toBeGreaterThanOrEqual(loss.item());
          });
      }));

    it('has the gradients of finite differences in float64', () =>
      withNetwork(({ task, network }) => {
        network.train().to({ dtype: 'float64' });
        const model = given.float64(network);
        const parameters = new Map(network.namedParameters());
        const seeded = <T>(body: () => T): T => {
          manualSeed(5);
          return body();
        };
        for (const batch of take(task, 'train', { size: batchSize, training: { seed: 1, epoch: 1 } }, 1)) {
          expectGradients(() => seeded(() => batch.loss(model)), parameters, 8);
          expectGradients(() => seeded(() => batch.trainingLoss(model).total), parameters, 8);
        }
      }));

    it('falls in a training', () =>
      withNetwork(({ task, network, options }) => {
        const optimiser = { ...(options as unknown as OptimiserSettings), epochs: 4, batchSize };
        const run = new NetworkTraining<object>({ task, network, settings: optimiser, seed: 1 });
        const losses: number[] = [];
        while (!run.trained) {
          for (const _ of run.trainEpoch());
          losses.push(run.lastLoss);
        }
        run.free();
        expect(losses.at(-1)).toBeLessThan(losses[0]!);
      }));
  });
}

type Pass = Parameters<Task<object>['pass']>[1];

/** How many inputs each batch of a pass has, and how long it is. A batch's data is gone once the next one is taken. */
const batchesOf = (
  task: Task<object>,
  part: Part,
  options: Pass,
): Pick<Batch<object>, 'count' | 'length'>[] =>
  Array.from(task.pass(part, options), ({ count, length }) => ({ count, length }));

/** The first batches of a pass, which is open while they are read. */
function* take(task: Task<object>, part: Part, options: Pass, count: number): Generator<Batch<object>> {
  let taken = 0;
  for (const batch of task.pass(part, options)) {
    yield batch;
    if (++taken === count) return;
  }
  expect.unreachable(`the ${part} data has ${taken} batches`);
}

const countOf = (passed: readonly { readonly count: number }[]) =>
  passed.reduce((sum, { count }) => sum + count, 0);

function talliesOf(task: Task<object>, network: object, part: Part, size: number): Tally[] {
  const tallies: Tally[] = [];
  for (const batch of task.pass(part, { size })) tallies.push(scope(() => batch.tally(network)));
  return tallies;
}

function measuresOf(task: Task<object>, tallies: readonly Tally[]): Measures {
  const accumulator = task.accumulator();
  for (const tally of tallies) accumulator.add(tally);
  return accumulator.measures();
}

function lossesOf(task: Task<object>, network: object, part: Part, options: Pass): number[] {
  const losses: number[] = [];
  for (const batch of task.pass(part, options)) losses.push(scope(() => batch.loss(network).item()));
  return losses;
}

/** The description of an option, wherever in the schema it was written. */
function described(option: unknown): string {
  let schema = option as { description?: string; unwrap?: () => unknown } | undefined;
  while (schema !== undefined && schema.description === undefined)
    schema = typeof schema.unwrap === 'function' ? (schema.unwrap() as typeof schema) : undefined;
  return schema?.description ?? '';
}
