import { type nn, noGrad, scope, type Tensor } from '@espalier/torch';
import { rememberGenerators } from '../training/generators.js';

/** Runs passes that may change tensors, and restores these afterwards. */
export function restoring<T>(tensors: readonly Tensor[], passes: () => T): T {
  const before = scope(() => noGrad(() => tensors.map((tensor) => tensor.clone().keep())));
  try {
    return passes();
  } finally {
    noGrad(() => {
      for (const [place, tensor] of tensors.entries()) tensor.copy_(before[place] as Tensor);
    });
    for (const value of before) value.free();
  }
}

/** The tensors of a module's state that training changes without a gradient: the running statistics of batch norm. */
export function buffersOf(module: nn.Module): readonly Tensor[] {
  return [...module.namedBuffers()].map(([, buffer]) => buffer);
}

/** Runs passes that leave no trace: afterwards the buffers of the module and the random generators are as before. */
export function undisturbed<T>(module: nn.Module, passes: () => T): T {
  const putBack = rememberGenerators(module.parameters()[0]?.device ?? 'cpu');
  try {
    return restoring(buffersOf(module), passes);
  } finally {
    putBack();
  }
}

/**
 * A loss that draws the same random numbers each time: the dropout masks of its first pass.
 *
 * @param device where it draws them
 */
export function withSameMasks(loss: () => Tensor, device: string): () => Tensor {
  let putBack: (() => void) | undefined;
  return () => {
    if (putBack === undefined) putBack = rememberGenerators(device);
    else putBack();
    return loss();
  };
}
