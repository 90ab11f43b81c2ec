import type { AnySpaceDefinition } from '../space/space.js';
import { zophCnn } from './zoph-cnn.js';

/** The spaces in the box. */
export const spaces: ReadonlyMap<string, AnySpaceDefinition> = new Map(
  [zophCnn].map((definition) => [definition.name, definition as AnySpaceDefinition]),
);
