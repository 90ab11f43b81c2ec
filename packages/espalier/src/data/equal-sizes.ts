import { join } from 'node:path';
import { InputError } from '../input-error.js';
import { declaredSize } from './image-size.js';
import type { Size } from './view.js';

/**
 * Compares the sizes that the headers of an image and its mask declare.
 *
 * @throws InputError where both do and they differ
 */
export function requireEqualSizes(folder: string, image: string, mask: string): void {
  const [one, other] = [declaredSize(join(folder, mask)), declaredSize(join(folder, image))];
  if (one === undefined || other === undefined) return;
  if (one.width !== other.width || one.height !== other.height)
    throw new InputError(unequalSizes(join(folder, mask), one, image, other));
}

/** The message for a mask that does not fit its image. */
export function unequalSizes(mask: string, one: Size, image: string, other: Size): string {
  return `${mask}: the mask has ${one.width} x ${one.height} pixels; its image ${image} has ${other.width} x ${other.height}`;
}
