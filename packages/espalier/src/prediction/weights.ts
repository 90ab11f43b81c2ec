import { type nn, type Tensor, zeros } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { AnySpaceDefinition } from '../space/space.js';
import { readTensorFile } from './tensor-file.js';

/** What PyTorch counts batches in since 0.4.1; older state dictionaries have none. */
const BATCH_COUNT = 'num_batches_tracked';
const AUXILIARY_HEAD = 'auxiliary_head.';

/** The tensors of a network's state under PyTorch's names. @throws InputError where the file is no safetensors file */
export function readWeights(file: string): Map<string, Tensor> {
  return readTensorFile(
    file,
    'weights in a safetensors file',
    `. Weights that PyTorch saved become one by: ${conversionOf(file)}`,
  );
}

/** Whether a state has an auxiliary head: only a network built with one takes it. */
export function hasAuxiliaryHead(weights: ReadonlyMap<string, Tensor>): boolean {
  return [...weights.keys()].some((name) => name.startsWith(AUXILIARY_HEAD));
}

/** The option of a space, where it has it, that builds the auxiliary head of a state. */
export function auxiliaryOption(
  { options }: AnySpaceDefinition,
  weights: ReadonlyMap<string, Tensor>,
): { readonly auxiliary?: true } {
  const canHaveHead = Object.hasOwn(options?.shape ?? {}, 'auxiliary');
  return canHaveHead && hasAuxiliaryHead(weights) ? { auxiliary: true } : {};
}

/**
 * Copies weights into a network, strictly: every tensor in its place, and none left over. Only the counts of batches
 * may be missing, all of them at once, as PyTorch before 0.4.1 saved a state; they are set to 0, as PyTorch does.
 *
 * @param file for messages
 * @throws InputError naming the tensors that are missing, superfluous, misshapen or of another element type; the network
 *   is unchanged then
 */
export function loadWeights(network: nn.Module, weights: ReadonlyMap<string, Tensor>, file: string): void {
  const isCount = (name: string) => name.split('.').at(-1) === BATCH_COUNT;
  const state = new Map(weights);
  if (![...weights.keys()].some(isCount))
    for (const name of network.stateDict().keys())
      if (isCount(name)) state.set(name, zeros([], { dtype: 'int64' }));
  try {
    network.loadStateDict(state);
  } catch (error) {
    throw new InputError(`${file}: ${(error as Error).message}`);
  }
}

/** A line that makes a safetensors file of a state dictionary, or of a checkpoint that has one as `state_dict`. */
function conversionOf(file: string): string {
  const target = `${file.replace(/\.\w+$/, '')}.safetensors`;
  return (
    `python3 -c "import sys, torch; from safetensors.torch import save_file; s = torch.load(sys.argv[1], 'cpu'); ` +
    `save_file({k: v.clone().contiguous() for k, v in s.get('state_dict', s).items()}, sys.argv[2])" '${file}' '${target}'`
  );
}
