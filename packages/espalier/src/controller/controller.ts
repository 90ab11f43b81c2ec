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

/** How probable a controller finds some decision sequences. */
export interface ScoredSequences {
  /** Of each sequence, the sum over its decisions: [B], in nats. */
  readonly logProbability: Tensor;
  /** Of each sequence, the sum over its decisions: [B], in nats. */
  readonly entropy: Tensor;
  /** The same log-probabilities decision by decision, in parts. */
  readonly decisions: readonly ScoredDecisions[];
}

/** D decisions of each of some sequences. */
export interface ScoredDecisions {
  /** [D, sequences] */
  readonly logProbability: Tensor;
  /** The places of the sequences among all that were scored. */
  readonly sequences: readonly number[];
}

export interface ControllerOptions {
  /** Number of units in each recurrent layer. */
  readonly hidden: number;
  /** Number of recurrent layers. */
  readonly layers: number;
  /** Parameters are initialised uniformly in [-initialRange, initialRange]. */
  readonly initialRange: number;
  readonly seed: number;
}

/**
 * The recurrent controller of Zoph & Le 2016 (section 3). A stacked LSTM answers the questions of any space one after
 * the other, and reads each answer as its next input.
 *
 * Every choice, identified by its path, has its own softmax. Sharing one softmax between layers does not work: with
 * parameters initialised within +-0.08, the LSTM state hardly depends on the position in the program, so the controller
 * gives all layers the same answers for hundreds of updates. Subsets are answered by attention over anchor points. All
 * subset questions with the same name share the parameters of the attention.
 *
 * A head is created when its question is first asked. Its initial parameters depend only on the seed and its name.
 */
export class Controller extends nn.Module {
  readonly cells: readonly nn.LSTMCell[];
  /** The input at the first question, [1, H]. */
  readonly start: nn.Embedding;
  readonly heads: Record<string, Head> = {};
  /** Finding the parameters takes longer than a small update; they change only with the heads. */
  #parametersByName: ReadonlyMap<string, nn.Parameter> | undefined;

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

  /** The parameters by name; the same map until a head is created. */
  parametersByName(): ReadonlyMap<string, nn.Parameter> {
    this.#parametersByName ??= new Map(this.namedParameters());
    return this.#parametersByName;
  }

  /** Creates a head by its name, taken from `heads` of another controller with the same options. */
  addHead(name: string): Head {
    const { hidden, seed, initialRange } = this.options;
    // The path of a question may contain any character, including a slash, but is never the last part of the name.
    const options = name.startsWith('choice/') ? Number(name.slice(name.lastIndexOf('/') + 1)) : undefined;
    const head = options === undefined ? new SubsetHead(hidden) : new ChoiceHead(options, hidden);
    manualSeed(deriveSeed(seed, `controller head ${name}`));
    initialiseUniformly(head, initialRange);
    this.heads[name] = head;
    this.#parametersByName = undefined;
    return head;
  }

  #headFor(question: Question): Head {
    const name =
      question.kind === 'choice'
        ? `choice/${question.path}/${question.options.length}`
        : `subset/${question.name}`;
    return this.heads[name] ?? this.addHead(name);
  }

  /** Returns a sampler of decision sequences for the current weights. Create a new one after each update. */
  sampler(): Sampler {
    return new Sampler({
      cells: this.cells,
      start: this.start,
      headFor: (question) => this.#headFor(question),
    });
  }

  /**
   * Scores decision sequences, in the given order. The log-probability and entropy of a sequence are the sums over its
   * decisions. Gradients flow to the controller. The parts of `decisions` are the same for the same sequences.
   *
   * @throws InputError if every question of a sequence has only one possible answer
   */
  score(sequences: readonly (readonly AnsweredQuestion[])[]): ScoredSequences {
    // Sequences with the same questions pass through the network as one batch.
    const groups = grouped([...sequences.keys()], (place) =>
      JSON.stringify(sequences[place]?.map(({ question }) => shapeOf(question))),
    );
    const scored = [...groups.values()].map((places) =>
      this.#scoreTogether(
        places.map((place) => sequences[place] as readonly AnsweredQuestion[]),
        places,
      ),
    );
    const order = [...groups.values()].flat();
    const position = order.map((_, place) => order.indexOf(place));
    const inOrder = (part: (one: ScoredSequences) => Tensor) => {
      const all = cat(scored.map(part));
      return order.every((place, index) => place === index)
        ? all
        : cat(position.map((place) => all.narrow(0, place, 1)));
    };
    return {
      logProbability: inOrder((one) => one.logProbability),
      entropy: inOrder((one) => one.entropy),
      decisions: scored.flatMap(({ decisions }) => decisions),
    };
  }

  /** @param places the places of these sequences among all that are scored */
  #scoreTogether(
    sequences: readonly (readonly AnsweredQuestion[])[],
    places: readonly number[],
  ): ScoredSequences {
    const [first] = sequences as [readonly AnsweredQuestion[]];
    const asked: Asked[] = [];
    for (const [place, { question }] of first.entries())
      if (isAsked(question))
        asked.push({
          question,
          time: asked.length,
          head: this.#headFor(question),
          answers: sequences.map((sequence) => (sequence[place] as AnsweredQuestion).answer),
        } as Asked);
    if (asked.length === 0)
      throw new InputError(
        'every decision of the space has only one option, so the controller has nothing to learn',
      );
    // All answers are known, so the recurrent network runs through all steps first. The heads are scored afterwards.
    const anchorTimes = asked.flatMap(({ question, time }) => (question.kind === 'subset' ? [time] : []));
    const { given, recalled } = inputsAfter(asked, this.start.weight, anchorTimes);
    const outputs = fused.recallingLstm(given, recalled, this.cells);
    const scored = [...grouped(asked.filter(isChoice), ({ question }) => question.options.length)].map(
      ([, choices]) => scoreChoices(choices, outputs),
    );
    for (const [head, subsets] of grouped(asked.filter(isSubset), ({ head }) => head as SubsetHead))
      scored.push(...scoreSubsets(head, subsets, outputs, anchorTimes));
    // If only subsets without anchors were asked, `scored` is empty and the sums are zero.
    const nothing = outputs.select(0, 0).select(1, 0).mul(0);
    const sum = (part: (one: Scored) => Tensor) => scored.map(part).reduce((a, b) => a.add(b), nothing);
    return {
      logProbability: sum((one) => one.logProbability),
      entropy: sum((one) => one.entropy),
      decisions: scored.map(({ decisions }) => ({ logProbability: decisions, sequences: places })),
    };
  }
}

const isChoice = (asked: Asked): asked is Asked<ChoiceQuestion> => asked.question.kind === 'choice';
const isSubset = (asked: Asked): asked is Asked<SubsetQuestion> => asked.question.kind === 'subset';

/** Groups items by key. The keys are in the order of their first item. */
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

/** The properties of a question that sequences must share to be scored as one batch. */
function shapeOf(question: Question): readonly unknown[] {
  return question.kind === 'choice'
    ? [question.path, question.options.length]
    : [question.name, question.anchors, question.size];
}
