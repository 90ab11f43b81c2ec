import { cat, fused, manualSeed, nn, type Tensor } from '@espalier/torch';
import { InputError } from '../input-error.js';
import { deriveSeed } from '../random/random.js';
import type { ChoiceQuestion, Question, SubsetQuestion } from '../space/language.js';
import type { AnsweredQuestion } from '../space/trace.js';
import {
  type Asked,
  ChoiceHead,
  type Head,
  initialiseUniformly,
  inputsAfter,
  isAsked,
  type Scored,
  SubsetHead,
  scoreChoices,
  scoreSubsets,
} from './heads.js';
import { Sampler } from './sampler.js';

export interface ControllerOptions {
  /** Units of each recurrent layer. */
  readonly hidden: number;
  /** Recurrent layers. */
  readonly layers: number;
  /** Parameters start uniformly in [-range, range]. */
  readonly initialRange: number;
  readonly seed: number;
}

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
    const head = options === undefined ? new SubsetHead(hidden) : new ChoiceHead(options, hidden);
    manualSeed(deriveSeed(seed, `controller head ${name}`));
    initialiseUniformly(head, initialRange);
    this.heads[name] = head;
    return head;
  }

  #headFor(question: Question): Head {
    const name =
      question.kind === 'choice'
        ? `choice/${question.path}/${question.options.length}`
        : `subset/${question.name}`;
    return this.heads[name] ?? this.addHead(name);
  }

  /** Draws sheets with the weights as they are now; to be made anew when they have changed. */
  sampler(): Sampler {
    return new Sampler({
      cells: this.cells,
      start: this.start,
      headFor: (question) => this.#headFor(question),
    });
  }

  /**
   * Scores sheets by the sum over their answers, in the order given; gradients flow to the controller.
   *
   * @throws InputError for a sheet whose questions have one answer each
   */
  score(sheets: readonly (readonly AnsweredQuestion[])[]): Scored {
    // Sheets that were asked the same questions go through the network together.
    const groups = grouped([...sheets.keys()], (place) =>
      JSON.stringify(sheets[place]?.map(({ question }) => shapeOf(question))),
    );
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
    const asked: Asked[] = [];
    for (const [place, { question }] of first.entries())
      if (isAsked(question))
        asked.push({
          question,
          time: asked.length,
          head: this.#headFor(question),
          answers: sheets.map((sheet) => (sheet[place] as AnsweredQuestion).answer),
        } as Asked);
    if (asked.length === 0)
      throw new InputError(
        'the space asks nothing that has more than one answer, so there is nothing to learn',
      );
    // All answers are known: the recurrent network goes through its steps alone, and then all questions are scored.
    const anchorTimes = asked.flatMap(({ question, time }) => (question.kind === 'subset' ? [time] : []));
    const { given, recalled } = inputsAfter(asked, this.start.weight, anchorTimes);
    const outputs = fused.recallingLstm(given, recalled, this.cells);
    const scored = [...grouped(asked.filter(isChoice), ({ question }) => question.options.length)].map(
      ([, choices]) => scoreChoices(choices, outputs),
    );
    for (const [head, subsets] of grouped(asked.filter(isSubset), ({ head }) => head as SubsetHead))
      scored.push(...scoreSubsets(head, subsets, outputs, anchorTimes));
    // A subset of nothing has one answer.
    const nothing = outputs.select(0, 0).select(1, 0).mul(0);
    const sum = (part: (one: Scored) => Tensor) => scored.map(part).reduce((a, b) => a.add(b), nothing);
    return { logProbability: sum((one) => one.logProbability), entropy: sum((one) => one.entropy) };
  }
}

const isChoice = (asked: Asked): asked is Asked<ChoiceQuestion> => asked.question.kind === 'choice';
const isSubset = (asked: Asked): asked is Asked<SubsetQuestion> => asked.question.kind === 'subset';

/** What has a key in common, the keys in the order of their first. */
function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** What sheets must have in common to be scored together. */
function shapeOf(question: Question): readonly unknown[] {
  return question.kind === 'choice'
    ? [question.path, question.options.length]
    : [question.name, question.anchors, question.size];
}
