import { join } from 'node:path';
import { fromTypedArray, noGrad, scope, setThreads, type Tensor, tensor, zeros } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { buildLanguageModel } from '../../src/networks/build-language-model.js';
import { predictNextToken } from '../../src/prediction/predict-next-token.js';
import { Random } from '../../src/random/random.js';
import { Space } from '../../src/space/space.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { languageModelling } from '../../src/tasks/language-modelling/definition.js';
import { LanguageModelling, type TokenModel } from '../../src/tasks/language-modelling/language-modelling.js';
import { openText } from '../../src/tasks/language-modelling/open-text.js';
import { Diverged, evaluate, type Part } from '../../src/tasks/task.js';
import type { TaskSettings } from '../../src/tasks/task-settings.js';
import { initialised } from '../../src/training/train-child.js';
import { suiteFolder } from '../cli/suite-folder.js';
import { writeTinyText } from '../cli/tiny-text.js';
import { tinyText } from '../weight-sharing/conformance.js';
import { conformsToTask } from './conformance.js';

setThreads(1);

const folder = suiteFolder();
const data = `text:${writeTinyText(join(folder, 'text'))}`;
const small = Space.configure(dartsRnn, { hidden: 4, nodes: 2 });

describe('language modelling', () => {
  conformsToTask({
    definition: languageModelling,
    settings: { name: 'language-modelling', data, limit: 100, validation: 95, seed: 1 },
    space: small,
    training: { bptt: 4, learningRate: 2 },
    batchSize: 3,
    oneBatch: { size: 3, training: { bptt: 1000 } },
    traced: { inputs: ['tokens', 'state.0'], outputs: ['logProbabilities', 'next.0'] },
    float64: (network) => network,
    wrong: [
      [
        'another kind of data',
        { data: 'cifar10:images' },
        /^data "cifar10:images": the kind "cifar10" is not a text; allowed here: text:DIR$/,
      ],
      ['a folder without a text', { data: `text:${join(folder, 'nowhere')}` }, /nowhere/],
      [
        'a limit beyond the text',
        { limit: 631 },
        'limit 631: must be a whole number from 2 to 630, the tokens there are',
      ],
    ],
  });
});

/** Says that the next token is the one after the last, modulo 8, with probability e / (e + 7); counts what it has read. */
function counting(): TokenModel & { readonly states: number[][] } {
  const states: number[][] = [];
  return {
    states,
    initialState: (texts) => [zeros([texts, 1])],
    forward(tokens: Tensor, state) {
      const before = state[0] as Tensor;
      states.push(before.flatten().toNumbers());
      const [times, texts] = tokens.shape as [number, number];
      const next = tokens
        .toNumbers()
        .map((token) => Array.from({ length: 8 }, (_, i) => (i === (token + 1) % 8 ? 1 : 0)));
      const raw = tensor(next).reshape([times, texts, 8]);
      return {
        logits: raw,
        state: [before.add(times)],
        activations: { raw, dropped: raw.mul(2) },
      };
    },
  };
}

const options = { bptt: 5, activationAlpha: 0, activationBeta: 0, device: 'cpu' };
const task = new LanguageModelling(tinyText, options);

/** The perplexity of `counting` on the predictions of a text in columns. */
function perplexityOf(tokens: Int32Array, columns: number): number {
  const length = Math.floor(tokens.length / columns);
  const right = Array.from({ length: columns }, (_, text) =>
    Array.from({ length: length - 1 }, (_, i): number => {
      const [token, next] = [tokens[text * length + i]!, tokens[text * length + i + 1]!];
      return next === (token + 1) % 8 ? 1 : 0;
    }),
  ).flat();
  const share = right.reduce((sum, one) => sum + one, 0) / right.length;
  return Math.exp(Math.log(Math.E + 7) - share);
}

describe('the perplexity', () => {
  it('is e to the mean loss over all tokens', () => {
    // Four columns of ten tokens: nine predictions each.
    const { perplexity, loss } = evaluate(task, counting(), 'validation', { size: 4 });
    expect(perplexity).toBeCloseTo(perplexityOf(tinyText.validation, 4), 5);
    expect(loss).toBeCloseTo(Math.log(perplexity!), 12);
  });

  it('of a model whose loss is finite but too large for it is a divergence', () => {
    const wrong: TokenModel = {
      initialState: () => [],
      forward(tokens) {
        const [times, texts] = tokens.shape as [number, number];
        const logits = zeros([times, texts, 9], { dtype: 'float32' });
        noGrad(() => logits.select(2, 8).fill_(1000));
        return { logits, state: [], activations: { raw: logits, dropped: logits } };
      },
    };
    expect(() => evaluate(task, wrong, 'test', { size: 4 })).toThrow(
      new Diverged('diverged: the test perplexity is Infinity'),
    );
  });

  it('of validation and test text is over columns of their own, whatever the batch size', () => {
    const inColumns = new LanguageModelling(tinyText, { ...options, validationColumns: 10, testColumns: 1 });
    const columns = (part: Part, size: number) =>
      [...inColumns.pass(part, { size })].map(({ count, length }) => count / (length * options.bptt));
    for (const size of [2, 4, 20]) {
      // Ten columns of four tokens; one column of all 40, in windows of 5, the last of 4.
      expect(columns('validation', size)).toEqual([10]);
      expect(columns('test', size)).toEqual(new Array(8).fill(1));
      expect(new Set(columns('train', size))).toEqual(new Set([size]));
      const measured = (part: Part) => evaluate(inColumns, counting(), part, { size }).perplexity;
      expect(measured('validation')).toBeCloseTo(perplexityOf(tinyText.validation, 10), 5);
      expect(measured('test')).toBeCloseTo(perplexityOf(tinyText.test, 1), 5);
    }
  });

  it('of validation text that trains, as architectures do, is over columns of the batch size', () => {
    const inColumns = new LanguageModelling(tinyText, { ...options, validationColumns: 10 });
    const [batch] = inColumns.pass('validation', { size: 4, training: { seed: 1, epoch: 1 } });
    expect(batch!.count).toBe(4 * batch!.length * options.bptt);
  });

  it('of a short text is over fewer columns, each with a token to predict', () => {
    const short = (count: number) =>
      new LanguageModelling(
        { ...tinyText, validation: tinyText.validation.subarray(0, count) },
        { ...options, validationColumns: 10 },
      );
    const counts = (count: number) =>
      [...short(count).pass('validation', { size: 4 })].map((one) => one.count);
    // Five columns of two tokens; two columns of two, and one token left over; one column.
    expect([counts(10), counts(5), counts(3)]).toEqual([[5], [2], [2]]);
    expect(() => counts(1)).toThrow(InputError);
  });

  it('on the test text in one column drops no token, and is that of predictNextToken on the whole text', async () => {
    const settings: TaskSettings = { name: 'language-modelling', data, seed: 1 };
    const opened = await languageModelling.open(settings);
    const text = openText(settings);
    const whole = opened.task({ ...languageModelling.training.options.parse({ bptt: 17 }) } as never);
    const architecture = small.decode(small.sample(Random.of(2, 'cell')));
    const model = initialised(() => buildLanguageModel(small, architecture, opened.input as never), 1);
    // Weights so large that each word and the state count.
    for (const parameter of model.parameters()) noGrad(() => parameter.uniform_(-1, 1));
    model.eval();
    const counts = [...whole.pass('test', { size: 64 })].map(({ count }) => count);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(text.test.length - 1);
    const { perplexity } = evaluate(whole, model, 'test', { size: 64 });
    const { perplexities } = scope(() =>
      predictNextToken(model, fromTypedArray(BigInt64Array.from(text.test, BigInt), [text.test.length, 1])),
    );
    expect(perplexity! / perplexities![0]!).toBeCloseTo(1, 5);
    expect(perplexity).not.toBeCloseTo(opened.input.vocabulary, 0);
    model.free();
  });

  it('is over ten columns of the validation text and one of the test text by default, as in the code of DARTS', () => {
    expect(languageModelling.training.options.parse({})).toMatchObject({
      validationColumns: 10,
      testColumns: 1,
    });
  });
});

describe('a pass over a text', () => {
  it('carries the state from window to window, once however often a window is read, and begins with zeros', () => {
    const model = counting();
    let step = 0;
    for (const batch of task.pass('train', { size: 2 })) {
      scope(() => batch.loss(model));
      // A second look, as a second-order step takes it.
      if (step++ === 1) scope(() => batch.trainingLoss(model));
    }
    // Columns of 40 tokens in windows of 5: eight, the last of 4.
    expect(step).toBe(8);
    expect(task.batchCount('train', 2)).toBe(8);
    expect(model.states).toEqual([0, 5, 5, 10, 15, 20, 25, 30, 35].map((read) => [read, read]));
  });

  it('says how long a window is, in terms of the BPTT length', () => {
    const lengths = [...task.pass('train', { size: 2 })].map(({ length, count }) => [length, count]);
    expect(lengths).toEqual([...new Array(7).fill([1, 10]), [0.8, 8]]);
  });

  it('counts tokens, and its time steps are the BPTT length', () => {
    expect((['train', 'validation', 'test'] as const).map((part) => task.count(part))).toEqual([80, 40, 40]);
    expect(task.timeSteps).toBe(5);
  });
});

describe('the training loss of a text', () => {
  const totals = (more: Partial<typeof options>) => {
    const [batch] = new LanguageModelling(tinyText, { ...options, ...more }).pass('train', { size: 2 });
    return scope(() => {
      const { loss, total } = batch!.trainingLoss(counting());
      expect(batch!.loss(counting()).item()).toBe(loss.item());
      return total.item() - loss.item();
    });
  };

  it('has the activation regularisation in what is differentiated only', () => {
    expect(totals({})).toBe(0);
    // The dropped outputs are one 2 among eight.
    expect(totals({ activationAlpha: 3 })).toBeCloseTo((3 * 4) / 8, 5);
    // From token to token a 1 goes and another comes, except where the text stays at a word: see `tinyText`.
    const [first, second] = [0, 40].map((from) => [...tinyText.train.subarray(from, from + 5)]);
    const changes = [first!, second!].flatMap((column) =>
      column.slice(1).map((token, i): number => (token === column[i] ? 0 : 2)),
    );
    const slowness = changes.reduce((sum, change) => sum + change, 0) / (8 * changes.length);
    expect(totals({ activationBeta: 0.5 })).toBeCloseTo(0.5 * slowness, 5);
    expect(totals({ activationAlpha: 3, activationBeta: 0.5 })).toBeCloseTo(1.5 + 0.5 * slowness, 5);
  });
});

describe('an opened text', () => {
  const open = (given: Partial<TaskSettings> = {}) =>
    openText({ name: 'language-modelling', data, ...given });
  const all = open();

  it('is cut to its first tokens, each part by its own number, the training text on its own', () => {
    expect([all.train, all.validation, all.test].map(({ length }) => length)).toEqual([630, 630, 630]);
    const { train, validation, test } = open({ limit: 200, validation: 50 });
    expect([...train]).toEqual([...all.train.subarray(0, 200)]);
    expect([...validation]).toEqual([...all.validation.subarray(0, 50)]);
    expect([...test]).toEqual([...all.test.subarray(0, 50)]);
    // Where only one number is given, it holds for all parts.
    expect(open({ limit: 60 }).test.length).toBe(60);
    expect(open({ validation: 60 }).train.length).toBe(630);
  });

  it('has the words of the whole text as its vocabulary, and the checksum of the whole', () => {
    const cut = open({ limit: 2, validation: 2 });
    expect(cut.input).toEqual({ vocabulary: 21 });
    expect(cut.vocabulary).toEqual(all.vocabulary);
    expect(cut.checksum()).toBe(all.checksum());
  });
});
