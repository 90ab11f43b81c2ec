import type { AnySpaceDefinition } from '../space/space.js';
import { autoDeepLab } from './auto-deeplab.js';
import { dartsCnn } from './darts-cnn.js';
import { nasBench201 } from './nasbench201.js';
import { nasnet } from './nasnet.js';
import { zophCnn } from './zoph-cnn.js';

/** The spaces in the box. */
export const spaces: ReadonlyMap<string, AnySpaceDefinition> = new Map(
  [zophCnn, nasnet, dartsCnn, nasBench201, autoDeepLab].map((definition) => [
    definition.name,
    definition as AnySpaceDefinition,
  ]),
);
