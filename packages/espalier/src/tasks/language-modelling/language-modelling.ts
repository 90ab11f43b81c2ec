import { fromTypedArray, fused, type Tensor } from '@espalier/torch';
import { type Segment, segmentCount, segments } from '../../data/text-batches.js';
import { Means, type Sums } from '../../measures/accumulator.js';
import type { Objectives } from '../../measures/measure.js';
import type { LanguageModel, LanguageModelState } from '../../networks/language-model.js';
import { activationRegularisation } from '../../networks/recurrent/activation-regularisation.js';
import { Random } from '../../random/random.js';
import type { Batch, Part, PassOptions, Task } from '../task.js';
import { type LanguageJudgement, measuresByLevel } from './measures-by-level.js';
import type { OpenedText } from './open-text.js';

/** Tokens [T, N] and a state to the logits of the next tokens and the next state. */
export type TokenModel = Pick<LanguageModel, 'initialState' | 'forward'>;

/** How a text is trained on, besides the optimiser. */
export interface LanguageLoss {
  /** T, BPTT length: tokens of a segment that gradients go back through. */
  readonly bptt: number;
  /** Weights of activation regularisation and of its temporal form, see `activationRegularisation`. */
  readonly activationAlpha: number;
  readonly activationBeta: number;
  /** Columns that the validation and the test text are read in; as many as in training by default. */
  readonly validationColumns?: number;
  readonly testColumns?: number;
  readonly device: string;
}

/**
 * Predicting each next token of a text, judged by the measures of its level. A pass begins with a state of zeros. Each segment
 * starts from the state that the model was in after it last read the segment before.
 */
export class LanguageModelling implements Task<TokenModel, Sums> {
  readonly measures: Objectives;
  readonly independentBatches = false;
  readonly shares = true;
  readonly #judgement: LanguageJudgement;

  constructor(
    private readonly text: Pick<OpenedText, 'level' | 'train' | 'validation' | 'test'>,
    private readonly options: LanguageLoss,
  ) {
    this.#judgement = measuresByLevel[text.level];
    this.measures = this.#judgement.measures;
  }

  get timeSteps(): number {
    return this.options.bptt;
  }

  count(part: Part): number {
    return this.text[part].length;
  }

  batchCount(part: Part, size: number): number {
    return segmentCount(this.text[part], { columns: size, bptt: this.options.bptt });
  }

  *pass(part: Part, { size, training }: PassOptions): Generator<Batch<TokenModel, Sums>, void, undefined> {
    const { bptt } = this.options;
    const random = training && Random.of(training.seed, `segments of epoch ${training.epoch}`);
    const carried = new CarriedState();
    try {
      for (const read of segments(this.text[part], {
        columns: training === undefined ? this.#columns(part, size) : size,
        bptt,
        share: training?.share,
        ...(random === undefined ? {} : { random }),
      })) {
        yield this.#batch(read, carried);
        carried.advance();
      }
    } finally {
      carried.free();
    }
  }

  /** A short text is read in fewer columns, so that each has a token to predict. */
  #columns(part: Part, size: number): number {
    const { validationColumns, testColumns } = this.options;
    const wanted = { train: undefined, validation: validationColumns, test: testColumns }[part];
    if (wanted === undefined) return size;
    return Math.min(wanted, Math.max(1, Math.floor(this.text[part].length / 2)));
  }

  accumulator(): Means {
    return new Means(({ loss }) => this.#judgement.of(loss as number));
  }

  #batch(read: Segment, carried: CarriedState): Batch<TokenModel, Sums> {
    const { bptt, activationAlpha: alpha, activationBeta: beta, device } = this.options;
    const { length, columns } = read;
    const step = (model: TokenModel) => {
      const [tokens, next] = [read.tokens, read.next].map((numbers) => {
        const tensor = fromTypedArray(numbers, [length, columns]);
        return device === 'cpu' ? tensor : tensor.to({ device });
      }) as [Tensor, Tensor];
      const made = model.forward(tokens, carried.before ?? model.initialState(columns));
      carried.after(made.state);
      return { made, loss: fused.crossEntropy(made.logits, next) };
    };
    return {
      count: length * columns,
      length: length / bptt,
      loss: (model) => step(model).loss,
      trainingLoss: (model) => {
        const { made, loss } = step(model);
        const added = activationRegularisation(made.activations, { alpha, beta });
        return { loss, total: added === undefined ? loss : loss.add(added) };
      },
      tally: (model) => {
        const sum = step(model).loss.item() * length * columns;
        return { finite: Number.isFinite(sum), count: length * columns, sums: { loss: sum } };
      },
    };
  }
}

/** The state between two segments, out of the scopes of the steps. */
class CarriedState {
  #before: LanguageModelState | undefined;
  #after: LanguageModelState | undefined;

  /** What the present segment begins with; undefined for zeros. */
  get before(): LanguageModelState | undefined {
    return this.#before;
  }

  /** Takes what the present segment ended with, in place of what it ended with before. */
  after(state: LanguageModelState): void {
    free(this.#after);
    this.#after = state.map((tensor) => tensor.detach().clone().keep());
  }

  /** The next segment begins. */
  advance(): void {
    if (this.#after === undefined) return;
    free(this.#before);
    this.#before = this.#after;
    this.#after = undefined;
  }

  free(): void {
    free(this.#before);
    free(this.#after);
  }
}

function free(state: LanguageModelState | undefined): void {
  for (const tensor of state ?? []) tensor.free();
}
