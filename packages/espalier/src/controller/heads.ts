import { type Dtype, fromTypedArray, nn, noGrad, stack, type Tensor, tensor } from '@espalier/torch';
import type { Random } from '../random/random.js';
import type { Answer, ChoiceQuestion, Question, SubsetQuestion } from '../space/language.js';

/** How probable some answers were, and how undecided the controller was: [B] each, in nats. */
export interface Scored {
  readonly logProbability: Tensor;
  readonly entropy: Tensor;
}

/** What the controller has in mind at a question: B sheets at once, the one being sampled alone. */
export interface Mind {
  /** The output of the recurrent network at this question, [B, H]. */
  readonly hidden: Tensor;
  /** What it was at the anchor points passed before, by their index; [B, H] each. */
  readonly anchors: readonly Tensor[];
}

/** How questions of one kind are answered. */
export abstract class Head<Q extends Question = Question> extends nn.Module {
  /** Draws an answer; B = 1. */
  abstract sample(question: Q, mind: Mind, random: Random): Answer;
  /** Scores one answer for each of the B sheets. */
  abstract score(question: Q, mind: Mind, answers: readonly Answer[]): Scored;
  /** What the recurrent network reads next, once these answers are given: [B, H]. */
  abstract nextInput(question: Q, mind: Mind, answers: readonly Answer[]): Tensor;
}

/** Draws an index with the probabilities given; they add up to 1 but for rounding. */
function draw(probabilities: readonly number[], random: Random): number {
  let left = random.uniform();
  for (const [index, probability] of probabilities.entries()) {
    left -= probability;
    if (left < 0) return index;
  }
  return probabilities.length - 1;
}

const indices = (answers: readonly number[]) =>
  fromTypedArray(BigInt64Array.from(answers, BigInt), [answers.length]);

/** Log-probabilities [B, n] of which one is taken a row. */
function scoreRows(logProbabilities: Tensor, taken: readonly number[]): Scored {
  return {
    logProbability: logProbabilities.gather(1, indices(taken).unsqueeze(1)).squeeze(1),
    entropy: logProbabilities.exp().mul(logProbabilities).sum(1).neg(),
  };
}

/** A choice: "a softmax classifier", whose prediction "is then fed into the next time step as input" (section 3.1). */
export class ChoiceHead extends Head<ChoiceQuestion> {
  readonly classifier: nn.Linear;
  readonly embedding: nn.Embedding;

  constructor(options: number, hidden: number) {
    super();
    this.classifier = new nn.Linear(hidden, options);
    this.embedding = new nn.Embedding(options, hidden);
  }

  sample(_question: ChoiceQuestion, { hidden }: Mind, random: Random): number {
    return draw(this.classifier.forward(hidden).softmax(1).toNumbers(), random);
  }

  score(_question: ChoiceQuestion, { hidden }: Mind, answers: readonly number[]): Scored {
    return scoreRows(this.classifier.forward(hidden).logSoftmax(1), answers);
  }

  nextInput(_question: ChoiceQuestion, _mind: Mind, answers: readonly number[]): Tensor {
    return this.embedding.forward(indices(answers));
  }
}

/**
 * A subset of earlier anchor points j, seen from anchor point i, by attention (section 3.3):
 * P(j is an input of i) = sigmoid(v^T tanh(W_prev h_j + W_curr h_i)).
 *
 * Where the size k of the subset is fixed, the anchors are drawn independently on condition that k are taken:
 * P(S) is proportional to the product of the odds of its members.
 *
 * The paper does not say what is read after an anchor point. Here it is the mean of h_j over the anchors taken, as in
 * the follow-up work of the same authors (ENAS), and zeros where none is.
 */
export class SubsetHead extends Head<SubsetQuestion> {
  readonly previous: nn.Linear;
  readonly current: nn.Linear;
  readonly v: nn.Linear;

  constructor(hidden: number) {
    super();
    this.previous = new nn.Linear(hidden, hidden, { bias: false });
    this.current = new nn.Linear(hidden, hidden, { bias: false });
    this.v = new nn.Linear(hidden, 1, { bias: false });
  }

  sample(question: SubsetQuestion, mind: Mind, random: Random): readonly number[] {
    if (question.anchors.length === 0) return [];
    const logits = this.#logits(question, mind);
    if (question.size === undefined)
      return logits
        .sigmoid()
        .toNumbers()
        .flatMap((probability, index) => (random.uniform() < probability ? [index] : []));
    const subsets = subsetsOf(question.anchors.length, question.size);
    return subsets[draw(logProbabilitiesOf(subsets, logits).exp().toNumbers(), random)] as readonly number[];
  }

  score(question: SubsetQuestion, mind: Mind, answers: readonly (readonly number[])[]): Scored {
    const count = question.anchors.length;
    if (count === 0) {
      const nothing = mind.hidden.select(1, 0).mul(0);
      return { logProbability: nothing, entropy: nothing };
    }
    const logits = this.#logits(question, mind);
    if (question.size !== undefined) {
      const subsets = subsetsOf(count, question.size);
      const keys = subsets.map((members) => members.join());
      return scoreRows(
        logProbabilitiesOf(subsets, logits),
        answers.map((members) => keys.indexOf(members.join())),
      );
    }
    const taken = membership(answers, count, logits.dtype);
    const yes = logits.logSigmoid();
    const no = logits.neg().logSigmoid();
    const probability = logits.sigmoid();
    return {
      logProbability: no.lerp(yes, taken).sum(1),
      entropy: no.lerp(yes, probability).sum(1).neg(),
    };
  }

  nextInput(question: SubsetQuestion, mind: Mind, answers: readonly (readonly number[])[]): Tensor {
    const count = question.anchors.length;
    if (count === 0) return mind.hidden.zerosLike();
    const shares = membership(answers, count, mind.hidden.dtype, (members) => 1 / members.length);
    return this.#offered(question, mind).mul(shares.unsqueeze(2)).sum(1);
  }

  /** [B, n, H] */
  #offered(question: SubsetQuestion, mind: Mind): Tensor {
    return stack(
      question.anchors.map((index) => mind.anchors[index] as Tensor),
      1,
    );
  }

  /** v^T tanh(W_prev h_j + W_curr h_i): [B, n] */
  #logits(question: SubsetQuestion, mind: Mind): Tensor {
    const earlier = this.previous.forward(this.#offered(question, mind));
    const here = this.current.forward(mind.hidden).unsqueeze(1);
    return this.v.forward(earlier.add(here).tanh()).squeeze(2);
  }
}

/** [B, n]: 1 (or `share`) where an anchor is a member, 0 elsewhere. */
function membership(
  answers: readonly (readonly number[])[],
  count: number,
  dtype: Dtype,
  share = (_: readonly number[]) => 1,
): Tensor {
  return tensor(
    answers.map((members) =>
      Array.from({ length: count }, (_, index) => (members.includes(index) ? share(members) : 0)),
    ),
    dtype,
  );
}

/** The log-probabilities of subsets, [B, subsets], from the logits of their possible members, [B, n]. */
function logProbabilitiesOf(subsets: readonly (readonly number[])[], logits: Tensor): Tensor {
  const count = logits.shape[1] as number;
  return logits.matmul(membership(subsets, count, logits.dtype).t()).logSoftmax(1);
}

/** All subsets of {0 .. n-1} with k members, in lexical order. */
function subsetsOf(n: number, k: number, from = 0): readonly (readonly number[])[] {
  if (k === 0) return [[]];
  const found: number[][] = [];
  for (let first = from; first <= n - k; first++)
    for (const rest of subsetsOf(n, k - 1, first + 1)) found.push([first, ...rest]);
  return found;
}

/** Draws every parameter of a module anew, uniformly in [-range, range]. */
export function initialiseUniformly(module: nn.Module, range: number): void {
  noGrad(() => {
    for (const parameter of module.parameters()) parameter.uniform_(-range, range);
  });
}
