import { type nn, type Tensor, zeros } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { AnySpaceDefinition } from '../space/space.js';
import { readTensorFile } from './tensor-file.js';

/** What PyTorch counts batches in since 0.4.1; older state dictionaries have none. */
const BATCH_COUNT = 'num_batches_tracked';
const AUXILIARY_HEAD = 'auxiliary_head.';

/** What PyTorch's wrappers put before all names: DataParallel and DistributedDataParallel, and torch.compile. */
const WRAPPERS = ['module.', '_orig_mod.'];

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
  return [...withoutWrappers(weights, () => true).keys()].some(isAuxiliary);
}

const isAuxiliary = (name: string) => name.startsWith(AUXILIARY_HEAD);

/** The option of a space, where it has it, that builds the auxiliary head of a state. */
export function auxiliaryOption(
  { options }: AnySpaceDefinition,
  weights: ReadonlyMap<string, Tensor>,
): { readonly auxiliary?: true } {
  const canHaveHead = Object.hasOwn(options?.shape ?? {}, 'auxiliary');
  return canHaveHead && hasAuxiliaryHead(weights) ? { auxiliary: true } : {};
}

/**
 * The tensors under the network's names: without the prefix that a wrapper of PyTorch put before all of them.
 *
 * @param takesOff whether a prefix is a wrapper's, and not the name of a module of the network
 */
function withoutWrappers(
  weights: ReadonlyMap<string, Tensor>,
  takesOff: (prefix: string) => boolean,
): Map<string, Tensor> {
  const names = [...weights.keys()];
  const prefix = WRAPPERS.find((one) => names.length > 0 && names.every((name) => name.startsWith(one)));
  if (prefix === undefined || !takesOff(prefix)) return new Map(weights);
  const inner = [...weights].map(([name, tensor]) => [name.slice(prefix.length), tensor] as const);
  return withoutWrappers(new Map(inner), takesOff);
}

/**
 * Copies weights into a network, strictly: every tensor in its place, and none left over. Only the counts of batches
 * may be missing, all of them at once, as PyTorch before 0.4.1 saved a state; they are set to 0, as PyTorch does. The
 * prefix of a wrapper, `module.` or `_orig_mod.`, is taken off.
 *
 * @param file for messages
 * @throws InputError naming the tensors that are missing, superfluous, misshapen or of another element type; the network
 *   is unchanged then
 */
export function loadWeights(network: nn.Module, weights: ReadonlyMap<string, Tensor>, file: string): void {
  load(network, inPlace(network, weights), file);
}

/**
 * Copies weights into a network that is to be trained on. As `loadWeights`, but the tensors in `anew` keep their values, and
 * so do those of an auxiliary head that the weights do not have; one that only the weights have is left out.
 */
export function loadStartingWeights(
  network: nn.Module,
  weights: ReadonlyMap<string, Tensor>,
  file: string,
  anew: ReadonlySet<string>,
): void {
  const own = network.stateDict();
  const given = inPlace(network, weights);
  const hasHead = [...given.keys()].some(isAuxiliary);
  const state = new Map([...given].filter(([name]) => !isAuxiliary(name) || own.has(name)));
  for (const [name, tensor] of own)
    if (anew.has(name) || (isAuxiliary(name) && !hasHead)) state.set(name, tensor);
  load(network, state, file);
}

/** The tensors under the network's names, with the counts of batches. */
function inPlace(network: nn.Module, weights: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const own = [...network.stateDict().keys()];
  const state = withoutWrappers(weights, (prefix) => !own.some((name) => name.startsWith(prefix)));
  const isCount = (name: string) => name.split('.').at(-1) === BATCH_COUNT;
  if (![...state.keys()].some(isCount))
    for (const name of own) if (isCount(name)) state.set(name, zeros([], { dtype: 'int64' }));
  return state;
}

function load(network: nn.Module, state: ReadonlyMap<string, Tensor>, file: string): void {
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
