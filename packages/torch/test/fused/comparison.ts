import { expect } from 'vitest';

/** The greatest difference, as a share of the greatest value. */
export function worst(ours: readonly number[], theirs: readonly number[]): number {
  expect(ours.length).toBe(theirs.length);
  const size = Math.max(...theirs.map(Math.abs), 1e-3);
  return Math.max(...ours.map((value, index) => Math.abs(value - theirs[index]!))) / size;
}
