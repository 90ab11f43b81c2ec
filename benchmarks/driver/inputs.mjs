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
