// The kernels that are fuzzed. Each has `draw(g)`, which describes valid arguments; `ours(args)`, which returns the outputs of the
// kernel; `theirs(args)`, the same by libtorch's operators (where it is missing, `ours` under withoutKernels); and `states(args)`,
// the tensors that both change.
import { batchNormRelu, normalise } from './batch-norm.mjs';
import { conv3x3 } from './conv3x3.mjs';
import { crossEntropy } from './cross-entropy.mjs';
import { halves } from './halves.mjs';
import { linear, matmul } from './matmul.mjs';
import { mixture } from './mixture.mjs';
import { adam, clip, sgd } from './optimisers.mjs';
import { pool, poolNorms } from './pooling.mjs';
import { mixedHighway, mixedRecurrence, recallingLstm } from './recurrent.mjs';
import { reluConvNorms } from './relu-conv-norm.mjs';

export const subjects = {
  matmul,
  linear,
  crossEntropy,
  batchNormRelu,
  normalise,
  pool,
  poolNorms,
  halves,
  mixture,
  reluConvNorms,
  conv3x3,
  mixedHighway,
  mixedRecurrence,
  recallingLstm,
  sgd,
  adam,
  clip,
};
