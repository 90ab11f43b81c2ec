import { InputError } from '../input-error.js';
import { Random } from '../random/random.js';

/** The share of each class that tests where a data set does not say which images do. */
const SHARE = 1 / 10;
/** Every run on the same images tests on the same ones, whatever its own seed: none may have learnt from them. */
const SEED = 1;

/** An image with the name of its class. */
interface Labelled {
  readonly label: string;
}

/**
 * Splits images into some to train on and some to test on, class by class: a tenth of each class, and at least one image,
 * are drawn at random for the test. The draw depends on nothing but the number of images of each class.
 *
 * @throws InputError for a class with a single image
 */
export function splitOffTest<Image extends Labelled>(
  images: readonly Image[],
): { train: Image[]; test: Image[] } {
  const byClass = new Map<string, number[]>();
  for (const [index, { label }] of images.entries()) {
    const places = byClass.get(label);
    if (places === undefined) byClass.set(label, [index]);
    else places.push(index);
  }
  const tested = new Set<number>();
  for (const [label, places] of byClass) {
    if (places.length < 2)
      throw new InputError(
        `the class '${label}' has 1 image; at least 2 are needed, one to train on and one to test on`,
      );
    const count = Math.max(1, Math.round(places.length * SHARE));
    const order = Random.of(SEED, `test images of '${label}'`).permutation(places.length);
    for (const place of order.subarray(0, count)) tested.add(places[place] as number);
  }
  return {
    train: images.filter((_, index) => !tested.has(index)),
    test: images.filter((_, index) => tested.has(index)),
  };
}
