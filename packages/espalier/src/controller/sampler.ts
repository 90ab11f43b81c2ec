import type { nn } from '@espalier/torch';
import type { Random } from '../random/random.js';
import type { Answer, ChoiceQuestion, Question, SubsetQuestion } from '../space/language.js';
import { type ProgramSource, walk } from '../space/trace.js';
import { ChoiceHead, type Head, isAsked, type SubsetHead, subsetsOf } from './heads.js';
import { Matrix, numbersOf } from './matrix.js';

/** The parts of a controller that a sampler copies. */
export interface ControllerWeights {
  readonly cells: readonly nn.LSTMCell[];
  readonly start: nn.Embedding;
  headFor(question: Question): Head;
}

const logistic = (x: number) => 1 / (1 + Math.exp(-x));
/** Uses `Math.exp`, which takes half the time of `Math.tanh`. */
const tanh = (x: number) => 2 / (1 + Math.exp(-2 * x)) - 1;

/**
 * Draws decision sequences with the weights of a controller at the time when the sampler is created. The weights of a
 * head are copied when its question is first asked, so the controller must not change while the sampler is in use.
 *
 * The questions of one child have to be answered one by one, and each step of the network costs less than the call of a
 * libtorch operator. So the steps are computed here, in JavaScript, on copies of the weights. The result depends only on
 * the weights and the random numbers, not on libtorch.
 */
export class Sampler {
  readonly cells: readonly CellWeights[];
  /** The contribution of the first input to the gates of the first layer, [4H]. */
  readonly startGates: Float64Array;
  readonly #heads = new Map<Head, HeadSampler>();

  constructor(private readonly controller: ControllerWeights) {
    this.cells = controller.cells.map((cell) => new CellWeights(cell));
    this.startGates = this.read(numbersOf(controller.start.weight));
  }

  /** Answers the questions of a space by sampling from the controller's distributions. */
  sample(source: ProgramSource<unknown>, random: Random): Answer[] {
    const answers: Answer[] = [];
    const state = new RecurrentState(this);
    const questions = walk(source);
    let step = questions.next();
    while (!step.done) {
      const { question } = step.value;
      const answer = isAsked(question) ? this.#headOf(question).answer(question, state, random) : 0;
      answers.push(answer);
      step = questions.next(answer);
    }
    return answers;
  }

  /** The contribution of an input to the gates of the first layer, [4H]. */
  read(input: Float64Array): Float64Array {
    return (this.cells[0] as CellWeights).inputWeights.times(input);
  }

  #headOf(question: Question): HeadSampler {
    const head = this.controller.headFor(question);
    let copy = this.#heads.get(head);
    if (copy === undefined) {
      copy =
        head instanceof ChoiceHead
          ? new ChoiceSampler(head, this)
          : new SubsetSampler(head as SubsetHead, this);
      this.#heads.set(head, copy);
    }
    return copy;
  }
}

class CellWeights {
  readonly inputWeights: Matrix;
  readonly hiddenWeights: Matrix;
  readonly bias: Float64Array;

  constructor(cell: nn.LSTMCell) {
    this.inputWeights = new Matrix(cell.weight_ih);
    this.hiddenWeights = new Matrix(cell.weight_hh);
    const hidden = numbersOf(cell.bias_hh);
    this.bias = numbersOf(cell.bias_ih).map((value, index) => value + (hidden[index] as number));
  }
}

/** The hidden state and the cell state of one layer, [H] each. */
interface State {
  readonly hidden: Float64Array;
  readonly cell: Float64Array;
}

/** The state of the recurrent network within one decision sequence. */
class RecurrentState {
  /** The next input, as returned by `Sampler.read`. */
  next: Float64Array;
  /** The outputs at the anchor points passed so far. */
  readonly anchors: Float64Array[] = [];
  /** W_prev h_j of each anchor point j, for each attention head. */
  readonly attended = new Map<SubsetSampler, Float64Array[]>();
  readonly #states: readonly State[];
  readonly #cells: readonly CellWeights[];
  /** A buffer shared by all layers and steps: allocating an array costs more than the computation. */
  readonly #gates: Float64Array;

  constructor({ cells, startGates }: Sampler) {
    this.#cells = cells;
    this.next = startGates;
    this.#gates = new Float64Array(startGates.length);
    const units = startGates.length / 4;
    this.#states = cells.map(() => ({ hidden: new Float64Array(units), cell: new Float64Array(units) }));
  }

  /** Runs one step and returns the output at the next question. The next call overwrites the returned array. */
  step(): Float64Array {
    const gates = this.#gates;
    let value: Float64Array | undefined;
    for (let layer = 0; layer < this.#cells.length; layer++) {
      const { inputWeights, hiddenWeights, bias } = this.#cells[layer] as CellWeights;
      const state = this.#states[layer] as State;
      gates.set(bias);
      if (value === undefined) add(this.next, gates);
      else inputWeights.addProduct(value, gates);
      hiddenWeights.addProduct(state.hidden, gates);
      advance(state, gates);
      value = state.hidden;
    }
    return value as Float64Array;
  }
}

function add(values: Float64Array, to: Float64Array): void {
  for (let i = 0; i < to.length; i++) (to[i] as number) += values[i] as number;
}

/** One LSTM step, given the pre-activations of the gates i, f, g and o, each for all units. */
function advance({ hidden, cell }: State, gates: Float64Array): void {
  const units = cell.length;
  for (let i = 0; i < units; i++) {
    const input = logistic(gates[i] as number);
    const forget = logistic(gates[units + i] as number);
    const now = forget * (cell[i] as number) + input * tanh(gates[2 * units + i] as number);
    cell[i] = now;
    hidden[i] = logistic(gates[3 * units + i] as number) * tanh(now);
  }
}

/** Samples an answer and sets the next input of the recurrent network. */
interface HeadSampler {
  answer(question: Question, state: RecurrentState, random: Random): Answer;
}

class ChoiceSampler implements HeadSampler {
  readonly #classifier: Matrix;
  readonly #bias: Float64Array;
  readonly #embedding: Matrix;
  /** The gate contribution of each answer's embedding, cached on first use. */
  readonly #read: Float64Array[] = [];

  constructor(
    { classifier, embedding }: ChoiceHead,
    private readonly sampler: Sampler,
  ) {
    this.#classifier = new Matrix(classifier.weight);
    this.#bias = numbersOf(classifier.bias as nn.Parameter);
    this.#embedding = new Matrix(embedding.weight);
  }

  answer(_question: ChoiceQuestion, state: RecurrentState, random: Random): number {
    const logits = this.#bias.slice();
    this.#classifier.addProduct(state.step(), logits);
    const answer = draw(softmax(logits), random);
    this.#read[answer] ??= this.sampler.read(this.#embedding.row(answer));
    state.next = this.#read[answer];
    return answer;
  }
}

class SubsetSampler implements HeadSampler {
  readonly #previous: Matrix;
  readonly #current: Matrix;
  readonly #v: Float64Array;

  constructor(
    { previous, current, v }: SubsetHead,
    private readonly sampler: Sampler,
  ) {
    this.#previous = new Matrix(previous.weight);
    this.#current = new Matrix(current.weight);
    this.#v = numbersOf(v.weight);
  }

  answer({ anchors, size }: SubsetQuestion, state: RecurrentState, random: Random): readonly number[] {
    const output = state.step();
    const taken = anchors.length === 0 ? [] : this.#draw(this.#logits(anchors, state, output), size, random);
    const read = new Float64Array(output.length);
    for (const index of taken) add(state.anchors[anchors[index] as number] as Float64Array, read);
    state.next = this.sampler.read(read.map((sum) => sum / Math.max(taken.length, 1)));
    state.anchors.push(output.slice());
    return taken;
  }

  #draw(logits: Float64Array, size: number | undefined, random: Random): readonly number[] {
    if (size !== undefined) return drawSubset(logits, size, random);
    return [...logits.keys()].filter((index) => random.uniform() < logistic(logits[index] as number));
  }

  /** v^T tanh(W_prev h_j + W_curr h_i) for each offered anchor j. */
  #logits(anchors: readonly number[], state: RecurrentState, output: Float64Array): Float64Array {
    const here = this.#current.times(output);
    let attended = state.attended.get(this);
    if (attended === undefined) {
      attended = [];
      state.attended.set(this, attended);
    }
    return Float64Array.from(anchors, (anchor) => {
      attended[anchor] ??= this.#previous.times(state.anchors[anchor] as Float64Array);
      const earlier = attended[anchor];
      let logit = 0;
      for (let i = 0; i < here.length; i++)
        logit +=
          (this.#v[i] as number) * (2 * logistic(2 * ((earlier[i] as number) + (here[i] as number))) - 1);
      return logit;
    });
  }
}

function softmax(logits: Float64Array): Float64Array {
  const most = Math.max(...logits);
  const odds = logits.map((logit) => Math.exp(logit - most));
  const all = odds.reduce((sum, one) => sum + one, 0);
  return odds.map((one) => one / all);
}

/** Samples an index with the given probabilities, which sum to 1 up to rounding. */
function draw(probabilities: Float64Array, random: Random): number {
  let left = random.uniform();
  for (const [index, probability] of probabilities.entries()) {
    left -= probability;
    if (left < 0) return index;
  }
  return probabilities.length - 1;
}

/** Samples a subset of fixed size with probability proportional to the product of its members' odds. */
function drawSubset(logits: Float64Array, size: number, random: Random): readonly number[] {
  const subsets = subsetsOf(logits.length, size);
  const ofSubsets = Float64Array.from(subsets, (members) =>
    members.reduce((sum, index) => sum + (logits[index] as number), 0),
  );
  return subsets[draw(softmax(ofSubsets), random)] as readonly number[];
}
