import { expect } from 'vitest';

/** The greatest difference, as a share of the greatest value. */
export function worst(ours: readonly number[], theirs: readonly number[]): number {
  expect(ours.length).toBe(theirs.length);
  let size = 1e-3;
  let difference = 0;
  for (const [index, value] of theirs.entries()) {
    size = Math.max(size, Math.abs(value));
    difference = Math.max(difference, Math.abs(value - ours[index]!));
  }
  return difference / size;
}
