/** What the file of a user's space is written with; `import ... from 'espalier'` gives this and more. */
export { nn, type Tensor } from '@espalier/torch';
export type { Network } from './networks/network.js';
export { type Anchor, block, choose, type Program, subset } from './space/language.js';
export { defineSpace, type InputShape, type SpaceDefinition } from './space/space.js';
