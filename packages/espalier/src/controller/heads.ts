import { cat, fromTypedArray, nn, noGrad, type Tensor, tensor } from '@espalier/torch';
import type { ChoiceQuestion, Question, SubsetQuestion } from '../space/language.js';

/** Log-probability of some answers and entropy of their distributions: [B] each, in nats. */
export interface Scored {
  readonly logProbability: Tensor;
  readonly entropy: Tensor;
  /** Log-probability of each of the D decisions by itself, [D, B]; their sum is `logProbability`. */
  readonly decisions: Tensor;
}

/** A question at one step of the recurrent network, with its answers in B decision sequences. */
export interface Asked<
  Q extends Question = Question,
  A = Q extends ChoiceQuestion ? number : readonly number[],
> {
  readonly question: Q;
  readonly time: number;
  readonly head: Head;
  readonly answers: readonly A[];
}

export type Head = ChoiceHead | SubsetHead;

/** Whether a question takes a step of the controller. Choices with one option do not; anchor points always do. */
export const isAsked = (question: Question) => question.kind === 'subset' || question.options.length > 1;

/** A choice: "a softmax classifier"; its prediction "is then fed into the next time step as input" (section 3.1). */
export class ChoiceHead extends nn.Module {
  readonly classifier: nn.Linear;
  readonly embedding: nn.Embedding;

  constructor(
    readonly options: number,
    hidden: number,
  ) {
    super();
    this.classifier = new nn.Linear(hidden, options);
    this.embedding = new nn.Embedding(options, hidden);
  }
}

/**
 * Attention of anchor point i over the earlier anchor points j that it may take as inputs (section 3.3):
 * P(j is an input of i) = sigmoid(v^T tanh(W_prev h_j + W_curr h_i)).
 *
 * If the size k of the subset is fixed, the anchors are drawn independently, conditional on exactly k being taken:
 * P(S) is proportional to the product of the odds of the members of S.
 *
 * The paper does not specify the input of the step after an anchor point. Here it is the mean of h_j over the selected
 * anchors, as in the follow-up work of the same authors (ENAS), or zeros if none is selected.
 */
export class SubsetHead extends nn.Module {
  readonly previous: nn.Linear;
  readonly current: nn.Linear;
  readonly v: nn.Linear;

  constructor(hidden: number) {
    super();
    this.previous = new nn.Linear(hidden, hidden, { bias: false });
    this.current = new nn.Linear(hidden, hidden, { bias: false });
    this.v = new nn.Linear(hidden, 1, { bias: false });
  }
}

const indices = (values: readonly number[]) =>
  fromTypedArray(BigInt64Array.from(values, BigInt), [values.length]);

/** Scores one selected entry in each row of log-probabilities [..., B, n]. Both results are summed to [B]. */
function scoreRows(logProbabilities: Tensor, taken: readonly number[]): Scored {
  const [rows, options] = logProbabilities.shape.slice(-2) as [number, number];
  const all = logProbabilities.reshape([-1, rows, options]);
  const ofTaken = all.gather(2, indices(taken).reshape([-1, rows, 1]));
  return {
    logProbability: ofTaken.sum([0, 2]),
    entropy: all.exp().mul(all).sum([0, 2]).neg(),
    decisions: ofTaken.squeeze(2),
  };
}

/**
 * Scores several choices, each with its own head, in one batch. All must have the same number of options.
 *
 * @param outputs outputs of the recurrent network, [T, B, H]
 */
export function scoreChoices(asked: readonly Asked<ChoiceQuestion>[], outputs: Tensor): Scored {
  const hidden = outputs.shape[2] as number;
  const classifiers = asked.map(({ head }) => (head as ChoiceHead).classifier);
  const weights = cat(classifiers.map(({ weight }) => weight)).reshape([asked.length, -1, hidden]);
  const biases = cat(classifiers.map(({ bias }) => bias as Tensor)).reshape([asked.length, 1, -1]);
  const read = outputs.indexSelect(0, indices(asked.map(({ time }) => time)));
  return scoreRows(
    read.bmm(weights.transpose(1, 2)).add(biases).logSoftmax(2),
    asked.flatMap(({ answers }) => answers),
  );
}

/**
 * Scores all subset questions of one head in one batch. Questions without anchors have one answer and are skipped.
 *
 * @param outputs outputs of the recurrent network, [T, B, H]
 * @param anchorTimes the time step of each anchor point, by its index
 */
export function scoreSubsets(
  head: SubsetHead,
  asked: readonly Asked<SubsetQuestion>[],
  outputs: Tensor,
  anchorTimes: readonly number[],
): Scored[] {
  const offering = asked.filter(({ question }) => question.anchors.length > 0);
  if (offering.length === 0) return [];
  const at = (times: readonly number[]) => outputs.indexSelect(0, indices(times));
  const anchors = 1 + Math.max(...offering.map(({ question }) => question.anchors.at(-1) as number));
  const earlier = head.previous.forward(at(anchorTimes.slice(0, anchors)));
  const here = head.current.forward(at(offering.map(({ time }) => time)));
  // v^T tanh(W_prev h_j + W_curr h_i): [points i, anchors j, B], including anchors that are not offered.
  const logits = head.v.forward(here.unsqueeze(1).add(earlier).tanh()).squeeze(3);
  const scored: Scored[] = [];
  const free = [...offering.keys()].filter((point) => offering[point]?.question.size === undefined);
  if (free.length > 0) {
    const ofFree = free.length === offering.length ? logits : logits.indexSelect(0, indices(free));
    scored.push(
      scoreFree(
        free.map((point) => offering[point] as Asked<SubsetQuestion>),
        ofFree,
      ),
    );
  }
  for (const [point, { question, answers }] of offering.entries()) {
    if (question.size === undefined) continue;
    const offered = logits.select(0, point).indexSelect(0, indices(question.anchors)).t();
    const subsets = subsetsOf(question.anchors.length, question.size);
    const keys = subsets.map((members) => members.join());
    scored.push(
      scoreRows(
        logProbabilitiesOf(subsets, offered),
        answers.map((members) => keys.indexOf(members.join())),
      ),
    );
  }
  return scored;
}

/** Scores subsets of any size from the logits of all anchors, [points, anchors, B]. */
function scoreFree(asked: readonly Asked<SubsetQuestion>[], logits: Tensor): Scored {
  const [points, anchors, sequences] = logits.shape as [number, number, number];
  const offered = new Float64Array(points * anchors);
  const taken = new Float64Array(points * anchors * sequences);
  for (const [point, { question, answers }] of asked.entries()) {
    for (const anchor of question.anchors) offered[point * anchors + anchor] = 1;
    for (const [sequence, members] of answers.entries())
      for (const index of members)
        taken[(point * anchors + (question.anchors[index] as number)) * sequences + sequence] = 1;
  }
  const { dtype } = logits;
  const counted = fromTypedArray(offered, [points, anchors, 1]).to({ dtype });
  const yes = logits.logSigmoid();
  const no = logits.neg().logSigmoid();
  const of = (share: Tensor) => no.lerp(yes, share).mul(counted);
  const ofTaken = of(fromTypedArray(taken, [points, anchors, sequences]).to({ dtype }));
  return {
    logProbability: ofTaken.sum([0, 1]),
    entropy: of(logits.sigmoid()).sum([0, 1]).neg(),
    decisions: ofTaken.sum([1]),
  };
}

/** Log-probabilities of the given subsets, [B, subsets], from the logits of the n candidates, [B, n]. */
function logProbabilitiesOf(subsets: readonly (readonly number[])[], logits: Tensor): Tensor {
  const count = logits.shape[1] as number;
  const membership = subsets.map((members) =>
    Array.from({ length: count }, (_, index) => (members.includes(index) ? 1 : 0)),
  );
  return logits.matmul(tensor(membership, logits.dtype).t()).logSoftmax(1);
}

/** All subsets of {0, ..., n - 1} with k members, in lexicographic order. */
export function subsetsOf(n: number, k: number, from = 0): readonly (readonly number[])[] {
  if (k === 0) return [[]];
  const found: number[][] = [];
  for (let first = from; first <= n - k; first++)
    for (const rest of subsetsOf(n, k - 1, first + 1)) found.push([first, ...rest]);
  return found;
}

/**
 * The inputs of the recurrent network at T steps, given all answers.
 *
 * @param start the input at the first step, [1, H]
 * @returns `given`: the embedding of the previous choice, [T, B, H]; `recalled`: the weights of the network's own outputs
 * at earlier steps, which average over the selected anchors, [T, B, T]
 */
export function inputsAfter(
  asked: readonly Asked[],
  start: Tensor,
  anchorTimes: readonly number[],
): { given: Tensor; recalled: Tensor } {
  const times = asked.length;
  const [first] = asked as [Asked];
  const sequences = first.answers.length;
  const rows = new BigInt64Array(times * sequences);
  const shares = new Float64Array(times * sequences * times);
  const zeros = start.newZeros([1, start.shape[1] as number]);
  const table = [start, zeros];
  let length = 2n;
  for (const [time, { question, head, answers }] of asked.slice(0, -1).entries()) {
    const at = (time + 1) * sequences;
    for (const [sequence, answer] of answers.entries()) {
      if (question.kind === 'choice') rows[at + sequence] = length + BigInt(answer as number);
      else {
        rows[at + sequence] = 1n;
        const members = answer as readonly number[];
        for (const index of members)
          shares[(at + sequence) * times + (anchorTimes[question.anchors[index] as number] as number)] =
            1 / members.length;
      }
    }
    if (head instanceof ChoiceHead) {
      table.push(head.embedding.weight);
      length += BigInt(head.options);
    }
  }
  return {
    given: cat(table)
      .indexSelect(0, fromTypedArray(rows, [rows.length]))
      .reshape([times, sequences, -1]),
    recalled: fromTypedArray(shares, [times, sequences, times]).to({ dtype: start.dtype }),
  };
}

/** Initialises every parameter of a module uniformly in [-range, range]. */
export function initialiseUniformly(module: nn.Module, range: number): void {
  noGrad(() => {
    for (const parameter of module.parameters()) parameter.uniform_(-range, range);
  });
}
