import type { AnySpaceDefinition } from '../space/space.js';
import { autoDeepLab } from './auto-deeplab.js';
import { dartsCnn } from './darts-cnn.js';
import { dartsRnn } from './darts-rnn.js';
import { nasBench201 } from './nasbench201.js';
import { nasnet } from './nasnet.js';
import { zophCnn } from './zoph-cnn.js';
import { zophRnn } from './zoph-rnn.js';

/** The built-in spaces, by name. */
export const spaces: ReadonlyMap<string, AnySpaceDefinition> = new Map(
  [zophCnn, zophRnn, nasnet, dartsCnn, dartsRnn, nasBench201, autoDeepLab].map((definition) => [
    definition.name,
    definition as AnySpaceDefinition,
  ]),
);
