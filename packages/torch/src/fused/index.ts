export { halves } from './halves.js';
export { instructionSet, runsKernels, servesLayer, withoutKernels } from './kernels.js';
export { mixedHighway } from './mixed-highway.js';
export { type MixedRecurrence, mixedRecurrence } from './mixed-recurrence.js';
export { type MixtureTerm, mixture, Normalised } from './mixture.js';
export { normalise } from './normalise.js';
export { type PoolNorm, poolNorm } from './pool-norm.js';
export { recallingLstm } from './recalling-lstm.js';
export { type ReluConvNorm, reluConvNorm } from './relu-conv-norm.js';
