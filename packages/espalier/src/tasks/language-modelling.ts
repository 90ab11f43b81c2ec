import { fromTypedArray, fused, type Tensor } from '@espalier/torch';
import { type Stretch, stretchCount, stretches } from '../data/text-batches.js';
import type { LanguageModel, LanguageModelState } from '../networks/language-model.js';
import { activationRegularisation } from '../networks/recurrent/activation-regularisation.js';
import { Random } from '../random/random.js';
import { PERPLEXITY } from './measure.js';
import type { Batch, Part, PassOptions, Task } from './task.js';
import type { TextTask } from './text-task.js';

/** Tokens [T, N] and a state to the logits of the next tokens and the next state. */
export type TokenModel = Pick<LanguageModel, 'initialState' | 'forward'>;

/** How a text is trained on, besides the optimiser. */
export interface LanguageLoss {
  /** T, tokens of a stretch (bptt). */
  readonly stretch: number;
  /** Weights of activation regularisation, see `activationRegularisation`. */
  readonly alpha: number;
  readonly beta: number;
  readonly device: string;
}

/**
 * Predicting each next token of a text, judged by the perplexity. A pass begins with the state of zeros; each stretch
 * goes on from the state that the model had after the one before, as it was when it last read that.
 */
export class LanguageModelling implements Task<TokenModel> {
  readonly reads = 'tokens';
  readonly measure = PERPLEXITY;

  constructor(
    private readonly text: Pick<TextTask, 'train' | 'validation' | 'test' | 'checksum'>,
    private readonly options: LanguageLoss,
  ) {}

  get timeSteps(): number {
    return this.options.stretch;
  }

  count(part: Part): number {
    return this.text[part].length;
  }

  batchCount(part: Part, size: number): number {
    return stretchCount(this.text[part], { texts: size, stretch: this.options.stretch });
  }

  *pass(part: Part, { size, training }: PassOptions): Generator<Batch<TokenModel>, void, undefined> {
    const { stretch } = this.options;
    const random = training && Random.of(training.seed, `stretches of epoch ${training.epoch}`);
    const carried = new CarriedState();
    try {
      for (const read of stretches(this.text[part], {
        texts: size,
        stretch,
        ...(random === undefined ? {} : { random }),
      })) {
        yield this.#batch(read, carried);
        carried.advance();
      }
    } finally {
      carried.free();
    }
  }

  measureOf(mean: number): number {
    return Math.exp(mean);
  }

  checksum(): string {
    return this.text.checksum();
  }

  #batch(read: Stretch, carried: CarriedState): Batch<TokenModel> {
    const { stretch, alpha, beta, device } = this.options;
    const { length, texts } = read;
    const step = (model: TokenModel) => {
      const [tokens, next] = [read.tokens, read.next].map((numbers) => {
        const tensor = fromTypedArray(numbers, [length, texts]);
        return device === 'cpu' ? tensor : tensor.to({ device });
      }) as [Tensor, Tensor];
      const made = model.forward(tokens, carried.before ?? model.initialState(texts));
      carried.after(made.state);
      return { made, loss: fused.crossEntropy(made.logits, next) };
    };
    return {
      count: length * texts,
      length: length / stretch,
      loss: (model) => step(model).loss,
      trainingLoss: (model) => {
        const { made, loss } = step(model);
        const added = activationRegularisation(made.activations, { alpha, beta });
        return { loss, total: added === undefined ? loss : loss.add(added) };
      },
      tally: (model) => {
        const sum = step(model).loss.item() * length * texts;
        return { sum, finite: Number.isFinite(sum) };
      },
    };
  }
}

/** The state between two stretches, out of the scopes of the steps. */
class CarriedState {
  #before: LanguageModelState | undefined;
  #after: LanguageModelState | undefined;

  /** What the present stretch begins with; undefined for zeros. */
  get before(): LanguageModelState | undefined {
    return this.#before;
  }

  /** Takes what the present stretch ended with, in place of what it ended with before. */
  after(state: LanguageModelState): void {
    free(this.#after);
    this.#after = state.map((tensor) => tensor.detach().clone().keep());
  }

  /** The next stretch begins. */
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
