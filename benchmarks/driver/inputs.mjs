import { randint, randn } from '../../packages/torch/dist/index.js';

/**
 * A batch of random images with labels. Both sides read it from the start file.
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
 * One BPTT window of random tokens for a batch of texts, and the next tokens: [bptt, batch] each.
 * @param {{ bptt: number, batch: number, vocabulary: number }} settings
 */
export function randomText({ bptt, batch, vocabulary }) {
  const text = randint(0, vocabulary, [bptt + 1, batch]);
  return { tokens: text.narrow(0, 0, bptt), next: text.narrow(0, 1, bptt) };
}

/** Used when losses are compared, because each side draws its own masks. */
export const noDropout = {
  dropoutEmbedding: 0,
  dropoutInput: 0,
  dropoutCellInput: 0,
  dropoutHidden: 0,
  dropoutOutput: 0,
};
