import type { nn } from '@espalier/torch';
import type { Random } from '../random/random.js';
import type { Answer, ChoiceQuestion, Question, SubsetQuestion } from '../space/language.js';
import { type ProgramSource, walk } from '../space/trace.js';
import { ChoiceHead, type Head, isAsked, type SubsetHead, subsetsOf } from './heads.js';
import { Matrix, numbersOf } from './matrix.js';

/** What a sampler copies. */
export interface Copied {
  readonly cells: readonly nn.LSTMCell[];
  readonly start: nn.Embedding;
  headFor(question: Question): Head;
}

const logistic = (x: number) => 1 / (1 + Math.exp(-x));
/** Of `Math.exp`, which takes half the time of `Math.tanh`. */
const tanh = (x: number) => 2 / (1 + Math.exp(-2 * x)) - 1;

/**
 * Draws sheets with the weights that a controller has when the sampler is made (a head's are copied when its question is
 * first asked: they must not change before the sampler is thrown away). One child's questions come one after the
 * other, and what the network computes between two of them is less than the call of an operator costs: so it is computed
 * here, on copies of the weights. What is drawn depends on the weights and the random numbers alone, not on libtorch.
 */
export class Sampler {
  readonly cells: readonly CellInNumbers[];
  /** What the first layer makes of what is read at the first question. */
  readonly begun: Float64Array;
  readonly #heads = new Map<Head, HeadInNumbers>();

  constructor(private readonly controller: Copied) {
    this.cells = controller.cells.map((cell) => new CellInNumbers(cell));
    this.begun = this.read(numbersOf(controller.start.weight));
  }

  /** Answers a space's questions, each drawn with the probabilities that the controller gives. */
  sample(source: ProgramSource<unknown>, random: Random): Answer[] {
    const answers: Answer[] = [];
    const reading = new Reading(this);
    const questions = walk(source);
    let step = questions.next();
    while (!step.done) {
      const { question } = step.value;
      const answer = isAsked(question) ? this.#headOf(question).answer(question, reading, random) : 0;
      answers.push(answer);
      step = questions.next(answer);
    }
    return answers;
  }

  /** What an input adds to the gates of the first layer: [4H]. */
  read(input: Float64Array): Float64Array {
    return (this.cells[0] as CellInNumbers).ofInput.times(input);
  }

  #headOf(question: Question): HeadInNumbers {
    const head = this.controller.headFor(question);
    let copy = this.#heads.get(head);
    if (copy === undefined) {
      copy =
        head instanceof ChoiceHead
          ? new ChoiceInNumbers(head, this)
          : new SubsetInNumbers(head as SubsetHead, this);
      this.#heads.set(head, copy);
    }
    return copy;
  }
}

class CellInNumbers {
  readonly ofInput: Matrix;
  readonly ofHidden: Matrix;
  readonly bias: Float64Array;

  constructor(cell: nn.LSTMCell) {
    this.ofInput = new Matrix(cell.weight_ih);
    this.ofHidden = new Matrix(cell.weight_hh);
    const hidden = numbersOf(cell.bias_hh);
    this.bias = numbersOf(cell.bias_ih).map((value, index) => value + (hidden[index] as number));
  }
}

/** Of one layer: what it gave out last and its cells, [H] each. */
interface State {
  readonly hidden: Float64Array;
  readonly cell: Float64Array;
}

/** The recurrent network on its way through the questions of one sheet. */
class Reading {
  /** What it reads next, as `Sampler.read` gives it. */
  next: Float64Array;
  /** Its output at the anchor points passed so far. */
  readonly anchors: Float64Array[] = [];
  /** What the attention of each name makes of them. */
  readonly attended = new Map<SubsetInNumbers, Float64Array[]>();
  readonly #states: readonly State[];
  readonly #cells: readonly CellInNumbers[];
  /** Written anew at every layer and step: arrays of their own would cost more than what is computed in them. */
  readonly #gates: Float64Array;

  constructor({ cells, begun }: Sampler) {
    this.#cells = cells;
    this.next = begun;
    this.#gates = new Float64Array(begun.length);
    const units = begun.length / 4;
    this.#states = cells.map(() => ({ hidden: new Float64Array(units), cell: new Float64Array(units) }));
  }

  /** One step: the output at the next question, until the one after it. */
  step(): Float64Array {
    const gates = this.#gates;
    let value: Float64Array | undefined;
    for (let layer = 0; layer < this.#cells.length; layer++) {
      const { ofInput, ofHidden, bias } = this.#cells[layer] as CellInNumbers;
      const state = this.#states[layer] as State;
      gates.set(bias);
      if (value === undefined) add(this.next, gates);
      else ofInput.addProduct(value, gates);
      ofHidden.addProduct(state.hidden, gates);
      advance(state, gates);
      value = state.hidden;
    }
    return value as Float64Array;
  }
}

function add(values: Float64Array, to: Float64Array): void {
  for (let i = 0; i < to.length; i++) (to[i] as number) += values[i] as number;
}

/** One step of an LSTM, from gates i, f, g, o of all units each. */
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

/** Draws an answer, and leaves to the network what it reads next. */
interface HeadInNumbers {
  answer(question: Question, reading: Reading, random: Random): Answer;
}

class ChoiceInNumbers implements HeadInNumbers {
  readonly #classifier: Matrix;
  readonly #bias: Float64Array;
  readonly #embedding: Matrix;
  /** What is read after each answer, once it was needed. */
  readonly #read: Float64Array[] = [];

  constructor(
    { classifier, embedding }: ChoiceHead,
    private readonly sampler: Sampler,
  ) {
    this.#classifier = new Matrix(classifier.weight);
    this.#bias = numbersOf(classifier.bias as nn.Parameter);
    this.#embedding = new Matrix(embedding.weight);
  }

  answer(_question: ChoiceQuestion, reading: Reading, random: Random): number {
    const logits = this.#bias.slice();
    this.#classifier.addProduct(reading.step(), logits);
    const answer = draw(softmax(logits), random);
    this.#read[answer] ??= this.sampler.read(this.#embedding.row(answer));
    reading.next = this.#read[answer];
    return answer;
  }
}

class SubsetInNumbers implements HeadInNumbers {
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

  answer({ anchors, size }: SubsetQuestion, reading: Reading, random: Random): readonly number[] {
    const output = reading.step();
    const taken =
      anchors.length === 0 ? [] : this.#draw(this.#logits(anchors, reading, output), size, random);
    const read = new Float64Array(output.length);
    for (const index of taken) add(reading.anchors[anchors[index] as number] as Float64Array, read);
    reading.next = this.sampler.read(read.map((sum) => sum / Math.max(taken.length, 1)));
    reading.anchors.push(output.slice());
    return taken;
  }

  #draw(logits: Float64Array, size: number | undefined, random: Random): readonly number[] {
    if (size !== undefined) return drawSubset(logits, size, random);
    return [...logits.keys()].filter((index) => random.uniform() < logistic(logits[index] as number));
  }

  /** v^T tanh(W_prev h_j + W_curr h_i), of each anchor offered. */
  #logits(anchors: readonly number[], reading: Reading, output: Float64Array): Float64Array {
    const here = this.#current.times(output);
    let attended = reading.attended.get(this);
    if (attended === undefined) {
      attended = [];
      reading.attended.set(this, attended);
    }
    return Float64Array.from(anchors, (anchor) => {
      attended[anchor] ??= this.#previous.times(reading.anchors[anchor] as Float64Array);
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

/** Draws an index with the probabilities given; they add up to 1 but for rounding. */
function draw(probabilities: Float64Array, random: Random): number {
  let left = random.uniform();
  for (const [index, probability] of probabilities.entries()) {
    left -= probability;
    if (left < 0) return index;
  }
  return probabilities.length - 1;
}

/** A subset of fixed size, with a probability in proportion to the product of its members' odds. */
function drawSubset(logits: Float64Array, size: number, random: Random): readonly number[] {
  const subsets = subsetsOf(logits.length, size);
  const ofSubsets = Float64Array.from(subsets, (members) =>
    members.reduce((sum, index) => sum + (logits[index] as number), 0),
  );
  return subsets[draw(softmax(ofSubsets), random)] as readonly number[];
}
