import { cat, manualSeed, nn, noGrad, scope, type Tensor } from '@espalier/torch';
import { InputError } from '../input-error.js';
import { deriveSeed, type Random } from '../random/random.js';
import type { Answer, Question } from '../space/language.js';
import { type AnsweredQuestion, type ProgramSource, walk } from '../space/trace.js';
import { ChoiceHead, type Head, initialiseUniformly, type Mind, type Scored, SubsetHead } from './heads.js';

export interface ControllerOptions {
  /** Units of each recurrent layer. */
  readonly hidden: number;
  /** Recurrent layers. */
  readonly layers: number;
  /** Parameters start uniformly in [-range, range]. */
  readonly initialRange: number;
  readonly seed: number;
}

/** A question with more than one answer, or an anchor point, which the controller passes even where nothing is offered. */
const isAsked = (question: Question) => question.kind === 'subset' || question.options.length > 1;

/**
 * The recurrent controller of Zoph & Le 2016 (section 3): a stacked LSTM that answers the questions of any space one
 * after the other, each answer being its next input. Every choice, known by its path, has a softmax of its own: with
 * parameters that start within +-0.08 the recurrent network hardly knows where in a program it stands, and layers that
 * share a softmax are answered alike for hundreds of updates. Subsets are answered by attention over anchor points,
 * whose parameters are the same at every point of one name.
 *
 * Heads are made when their question is first asked. What they start as depends on the seed and their name only.
 */
export class Controller extends nn.Module {
  readonly cells: readonly nn.LSTMCell[];
  /** What is read at the first question, [1, H]. */
  readonly start: nn.Embedding;
  readonly heads: Record<string, Head> = {};

  constructor(private readonly options: ControllerOptions) {
    super();
    const { hidden, layers } = options;
    this.cells = Array.from({ length: layers }, () => new nn.LSTMCell(hidden, hidden));
    this.start = new nn.Embedding(1, hidden);
    manualSeed(deriveSeed(options.seed, 'controller'));
    initialiseUniformly(this, options.initialRange);
  }

  override *children(): Generator<[string, nn.Module]> {
    yield* super.children();
    for (const [name, head] of Object.entries(this.heads)) yield [`heads.${name}`, head];
  }

  /** Makes the head of a name that `heads` had in another controller of the same options. */
  addHead(name: string): Head {
    const { hidden, seed, initialRange } = this.options;
    // A question's path may hold any character but is never the last part.
    const options = name.startsWith('choice/') ? Number(name.slice(name.lastIndexOf('/') + 1)) : undefined;
    const head: nn.Module = options === undefined ? new SubsetHead(hidden) : new ChoiceHead(options, hidden);
    manualSeed(deriveSeed(seed, `controller head ${name}`));
    initialiseUniformly(head, initialRange);
    this.heads[name] = head as Head;
    return head as Head;
  }

  #headFor(question: Question): Head {
    const name =
      question.kind === 'choice'
        ? `choice/${question.path}/${question.options.length}`
        : `subset/${question.name}`;
    return this.heads[name] ?? this.addHead(name);
  }

  /** Answers a space's questions, each drawn with the probabilities that the controller gives. */
  sample(source: ProgramSource<unknown>, random: Random): Answer[] {
    return scope(() =>
      noGrad(() => {
        const answers: Answer[] = [];
        const reader = new Reader(this.cells, this.start.weight, 1);
        const questions = walk(source);
        let step = questions.next();
        while (!step.done) {
          const { question } = step.value;
          let answer: Answer = 0;
          if (isAsked(question)) {
            const head = this.#headFor(question);
            const mind = reader.read(question);
            answer = head.sample(question, mind, random);
            reader.give(head.nextInput(question, mind, [answer]));
          }
          answers.push(answer);
          step = questions.next(answer);
        }
        return answers;
      }),
    );
  }

  /**
   * Scores sheets by the sum over their answers, in the order given; gradients flow to the controller.
   *
   * @throws InputError for a sheet whose questions have one answer each
   */
  score(sheets: readonly (readonly AnsweredQuestion[])[]): Scored {
    // Sheets that were asked the same questions go through the network together.
    const groups = new Map<string, number[]>();
    for (const [place, sheet] of sheets.entries()) {
      const shape = JSON.stringify(sheet.map(({ question }) => shapeOf(question)));
      const group = groups.get(shape);
      if (group === undefined) groups.set(shape, [place]);
      else group.push(place);
    }
    const scored = [...groups.values()].map((places) =>
      this.#scoreTogether(places.map((place) => sheets[place] as readonly AnsweredQuestion[])),
    );
    const order = [...groups.values()].flat();
    const position = order.map((_, place) => order.indexOf(place));
    const inOrder = (part: (one: Scored) => Tensor) => {
      const all = cat(scored.map(part));
      return order.every((place, index) => place === index)
        ? all
        : cat(position.map((place) => all.narrow(0, place, 1)));
    };
    return { logProbability: inOrder((one) => one.logProbability), entropy: inOrder((one) => one.entropy) };
  }

  #scoreTogether(sheets: readonly (readonly AnsweredQuestion[])[]): Scored {
    const [first] = sheets as [readonly AnsweredQuestion[]];
    const reader = new Reader(this.cells, this.start.weight, sheets.length);
    let total: Scored | undefined;
    for (const [place, { question }] of first.entries()) {
      if (!isAsked(question)) continue;
      const answers = sheets.map((sheet) => (sheet[place] as AnsweredQuestion).answer);
      const head = this.#headFor(question);
      const mind = reader.read(question);
      const { logProbability, entropy } = head.score(question, mind, answers);
      reader.give(head.nextInput(question, mind, answers));
      total =
        total === undefined
          ? { logProbability, entropy }
          : { logProbability: total.logProbability.add(logProbability), entropy: total.entropy.add(entropy) };
    }
    if (total === undefined)
      throw new InputError(
        'the space asks nothing that has more than one answer, so there is nothing to learn',
      );
    return total;
  }
}

/** What sheets must have in common to be scored together. */
function shapeOf(question: Question): readonly unknown[] {
  return question.kind === 'choice'
    ? [question.path, question.options.length]
    : [question.name, question.anchors, question.size];
}

/** The recurrent network on its way through the questions of B sheets. */
class Reader {
  #input: Tensor;
  readonly #states: [h: Tensor, c: Tensor][];
  readonly #anchors: Tensor[] = [];

  constructor(
    private readonly cells: readonly nn.LSTMCell[],
    start: Tensor,
    sheets: number,
  ) {
    const hidden = start.shape[1] as number;
    this.#input = start.expand([sheets, hidden]);
    this.#states = cells.map(() => {
      const zero = start.newZeros([sheets, hidden]);
      return [zero, zero];
    });
  }

  /** One step of the network: what it has in mind at a question. An anchor point is remembered for later ones. */
  read(question: Question): Mind {
    let value = this.#input;
    for (const [layer, cell] of this.cells.entries()) {
      const [h, c] = cell.forward(value, this.#states[layer] as [Tensor, Tensor]);
      this.#states[layer] = [h, c];
      value = h;
    }
    const mind = { hidden: value, anchors: [...this.#anchors] };
    if (question.kind === 'subset') this.#anchors.push(value);
    return mind;
  }

  give(input: Tensor): void {
    this.#input = input;
  }
}
