import { embedding, noGrad, type Tensor } from '@espalier/torch';

/**
 * Dropout whose masks are drawn once for a whole stretch of text (Gal & Ghahramani 2016): the probability of dropping,
 * by place. The authors of DARTS call them `dropoute`, `dropouti`, `dropoutx`, `dropouth` and `dropout`.
 */
export interface VariationalDropout {
  /** Of a word, wherever it stands in the stretch. */
  readonly dropoutEmbedding: number;
  /** Of an element of the embedded words. */
  readonly dropoutInput: number;
  /** Of an element of what a recurrent cell reads. */
  readonly dropoutCellInput: number;
  /** Of an element of the hidden states, the ones within a cell included. */
  readonly dropoutHidden: number;
  /** Of an element of what the decoder reads. */
  readonly dropoutOutput: number;
}

/** 0 with probability p, else 1/(1-p); undefined where nothing is dropped. Of the type and device of `like`. */
export function keepMask(shape: readonly number[], p: number, like: Tensor): Tensor | undefined {
  if (p === 0) return undefined;
  return noGrad(() =>
    like
      .newZeros(shape)
      .bernoulli_(1 - p)
      .div_(1 - p),
  );
}

export function masked(value: Tensor, mask: Tensor | undefined): Tensor {
  return mask === undefined ? value : value.mul(mask);
}

/** Drops the same elements at each time: [T, N, units] with one mask [N, units]. */
export function lockedDropout(value: Tensor, p: number): Tensor {
  return masked(value, keepMask(value.shape.slice(1), p, value));
}

/**
 * The rows of `weight` [V, units] for tokens [T, N], some of the V words dropped. The words are masked after the
 * look-up, which spares a masked copy of the whole embedding.
 */
export function embeddedDropout(weight: Tensor, tokens: Tensor, p: number): Tensor {
  const embedded = embedding(weight, tokens);
  const mask = keepMask([weight.shape[0] as number, 1], p, weight);
  return mask === undefined ? embedded : embedded.mul(embedding(mask, tokens));
}
