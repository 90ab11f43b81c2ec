import { embedding, noGrad, type Tensor, zeros } from '@espalier/torch';

/**
 * Dropout with masks that are drawn once for all time steps of a BPTT segment (Gal & Ghahramani 2016): the probability of
 * dropping at each place. The authors of DARTS call them `dropoute`, `dropouti`, `dropoutx`, `dropouth` and `dropout`.
 */
export interface VariationalDropout {
  /** Of a word, at all its positions in the segment. */
  readonly dropoutEmbedding: number;
  /** Of an element of the embedded words. */
  readonly dropoutInput: number;
  /** Of an element of the input of a recurrent cell. */
  readonly dropoutCellInput: number;
  /** Of an element of the hidden states, including those within a cell. */
  readonly dropoutHidden: number;
  /** Of an element of the input of the decoder. */
  readonly dropoutOutput: number;
}

/**
 * 0 with probability p, else 1/(1-p); undefined where p is 0. Of the type and on the device of `like`. The mask is drawn
 * on the CPU, whose generator has a state that can be saved and restored.
 */
export function keepMask(shape: readonly number[], p: number, like: Tensor): Tensor | undefined {
  if (p === 0) return undefined;
  return noGrad(() => {
    const mask = zeros([...shape], { dtype: like.dtype })
      .bernoulli_(1 - p)
      .div_(1 - p);
    return like.device === 'cpu' ? mask : mask.to({ device: like.device });
  });
}

export function masked(value: Tensor, mask: Tensor | undefined): Tensor {
  return mask === undefined ? value : value.mul(mask);
}

/** Drops the same elements in each time step: [T, N, units] with one mask [N, units]. */
export function lockedDropout(value: Tensor, p: number): Tensor {
  return masked(value, keepMask(value.shape.slice(1), p, value));
}

/**
 * The rows of `weight` [V, units] for tokens [T, N], with some of the V words dropped. Masking after the look-up saves a
 * masked copy of the whole embedding.
 */
export function embeddedDropout(weight: Tensor, tokens: Tensor, p: number): Tensor {
  const embedded = embedding(weight, tokens);
  const mask = keepMask([weight.shape[0] as number, 1], p, weight);
  return mask === undefined ? embedded : embedded.mul(embedding(mask, tokens));
}
