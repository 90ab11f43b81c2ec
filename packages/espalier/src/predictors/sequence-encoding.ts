import type { AnsweredQuestion } from '../space/trace.js';

/**
 * A decision sequence as zeros and ones, for predictors of any space: a feature for each option of each choice and for
 * each item of each subset, by the path of its question. The features are those of the sequences that a predictor
 * learns from; what occurs in none of them has no feature, because nothing can be known about it.
 */
export class SequenceEncoding {
  readonly #features = new Map<string, number>();

  /** @param sequences that the predictor learns from */
  constructor(sequences: readonly (readonly AnsweredQuestion[])[]) {
    for (const sequence of sequences)
      for (const name of namesIn(sequence))
        if (!this.#features.has(name)) this.#features.set(name, this.#features.size);
  }

  /** The number of features. */
  get size(): number {
    return this.#features.size;
  }

  /** The features of each sequence: `sequences x size` numbers, row by row. */
  encode(sequences: readonly (readonly AnsweredQuestion[])[]): Float32Array {
    const encoded = new Float32Array(sequences.length * this.size);
    for (const [row, sequence] of sequences.entries())
      for (const name of namesIn(sequence)) {
        const feature = this.#features.get(name);
        if (feature !== undefined) encoded[row * this.size + feature] = 1;
      }
    return encoded;
  }
}

function* namesIn(sequence: readonly AnsweredQuestion[]): Generator<string, void> {
  for (const { question, answer } of sequence) {
    if (question.kind === 'choice') yield `${question.path}=${answer}`;
    else
      for (const item of answer as readonly number[])
        yield `${question.path} has ${question.anchors[item] as number}`;
  }
}
