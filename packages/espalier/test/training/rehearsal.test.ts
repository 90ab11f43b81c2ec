import { nn, randn, type Tensor } from '@espalier/torch';
import { beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { accuracy } from '../../src/measures/accuracy.js';
import type { Part, Task } from '../../src/tasks/task.js';
import { type Rehearsal, rehearse } from '../../src/training/rehearsal.js';

/** What a rehearsal has done, in order: `train 2`, `evaluate test 2`. */
let done: string[];
beforeEach(() => {
  done = [];
});

const COUNTS = { train: 17, validation: 6, test: 3 };

/** A task on random rows of three numbers. `fails` says where the network fails, in the words of `done`. */
function taskOf(
  { counts = COUNTS, independent = true }: { counts?: Record<Part, number>; independent?: boolean },
  fails = 'never',
): Task<object> {
  const note = (what: string) => {
    done.push(what);
    if (what === fails) throw new RangeError('one value\nC++ and so on');
  };
  return {
    measures: [accuracy],
    timeSteps: 1,
    independentBatches: independent,
    count: (part) => counts[part],
    batchCount: (part, size) =>
      independent ? Math.ceil(counts[part] / size) : Math.floor(counts[part] / size),
    *pass(part, { size, training }) {
      const rows = Math.min(size, counts[part]);
      const loss = (model: object): Tensor => (model as nn.Layer).forward(randn([rows, 3])).mean();
      yield {
        count: rows,
        length: 1,
        loss,
        trainingLoss(model) {
          expect((model as nn.Module).training).toBe(true);
          expect(training).toBeDefined();
          note(`train on ${part} ${rows}`);
          return { loss: loss(model), total: loss(model) };
        },
        tally(model) {
          expect((model as nn.Module).training).toBe(false);
          note(`evaluate ${part} ${rows}`);
          return { finite: true };
        },
      };
    },
    accumulator: () => {
      throw new Error('nothing is measured');
    },
  };
}

const rehearsalOf = (task: Task<object>, batchSize: number): Rehearsal<nn.Module> => ({
  task,
  build: () => new nn.Linear(3, 2),
  require: () => done.push('require'),
  named: (error, doing) => new InputError(`the network ${doing}: ${(error as Error).message}`),
  batchSize,
  device: 'cpu',
  trains: ['train'],
  evaluates: ['validation', 'test'],
});

describe('a rehearsal', () => {
  it('trains on two inputs, on a last batch of one, and evaluates each part', () => {
    rehearse(rehearsalOf(taskOf({}), 8));
    expect(done).toEqual([
      'require',
      'train on train 2',
      'train on train 1',
      'evaluate validation 2',
      'evaluate test 2',
    ]);
  });

  it('leaves a last batch of more alone', () => {
    rehearse(rehearsalOf(taskOf({}), 5));
    expect(done.slice(0, 3)).toEqual(['require', 'train on train 2', 'evaluate validation 2']);
  });

  it('takes whole batches where they are columns of one length', () => {
    rehearse(rehearsalOf(taskOf({ independent: false }), 4));
    expect(done).toEqual(['require', 'train on train 4', 'evaluate validation 4', 'evaluate test 3']);
  });

  it.each([
    ['a part is empty', { counts: { ...COUNTS, test: 0 } }, 'never', 'the test data is empty'],
    [
      'a part has no batch',
      { counts: { ...COUNTS, train: 7 }, independent: false },
      'never',
      'the train data has no batch of 8',
    ],
    [
      'it cannot be trained',
      {},
      'train on train 2',
      'the network cannot be trained: one value\nC++ and so on',
    ],
    [
      'it cannot be evaluated',
      {},
      'evaluate test 2',
      'the network cannot be evaluated: one value\nC++ and so on',
    ],
    [
      'the last batch is too small',
      {},
      'train on train 1',
      'the train data has 17 inputs, so with batches of 8 the last one has only 1, and on so few this network cannot be ' +
        'trained: one value; choose another --batch-size or --limit',
    ],
  ])('refuses where %s', (_, task, fails, message) => {
    expect(() => rehearse(rehearsalOf(taskOf(task, fails), 8))).toThrow(new InputError(message));
  });

  it('names a network that cannot be built, or not run', () => {
    const whole = rehearsalOf(taskOf({}), 8);
    const fault = () => {
      throw new TypeError('no such layer');
    };
    expect(() => rehearse({ ...whole, build: fault })).toThrow(
      new InputError('the network cannot be built: no such layer'),
    );
    expect(() => rehearse({ ...whole, require: fault })).toThrow(
      new InputError('the network cannot be run: no such layer'),
    );
  });
});
