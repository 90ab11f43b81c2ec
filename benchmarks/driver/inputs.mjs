import { randint, randn } from '../../packages/torch/dist/index.js';

/**
 * A batch of random images and their labels, as both sides read it from the file that they start from.
 * @param {{ batch: number, size: number, classes: number }} settings
 */
export function randomImages({ batch, size, classes }) {
  return { images: randn([batch, 3, size, size]), labels: randint(0, classes, [batch]) };
}

/** @param {{ size: number, classes: number }} settings */
export function imageShape({ size, classes }) {
  return { channels: 3, height: size, width: size, classes };
}

/**
 * A stretch of random tokens of each of some texts, and the tokens that come next, [stretch, batch] both.
 * @param {{ stretch: number, batch: number, vocabulary: number }} settings
 */
export function randomText({ stretch, batch, vocabulary }) {
  const text = randint(0, vocabulary, [stretch + 1, batch]);
  return { tokens: text.narrow(0, 0, stretch), next: text.narrow(0, 1, stretch) };
}

/** For comparing losses, since each side draws masks of its own. */
export const noDropout = {
  dropoutEmbedding: 0,
  dropoutInput: 0,
  dropoutCellInput: 0,
  dropoutHidden: 0,
  dropoutOutput: 0,
};
