import { autocast, autocastDevice } from './autocast.js';
import { enableGrad, noGrad, recordsOperators } from './autograd.js';
import { generatorState, setGeneratorState } from './random.js';
import { scope } from './scope.js';
import { recordSegment } from './segments.js';
import type { Tensor } from './tensor.js';

/**
 * Runs `body` without keeping what its gradient needs: the backward pass runs it again (Chen et al. 2016, "Training deep nets
 * with sublinear memory cost"). A network in such segments needs the memory of their results and of one segment, and the time
 * of one more forward pass. `backward` and `grad` give the same gradients, of first order only, up to the order in which they
 * are added.
 *
 * The second run draws the same random numbers on the device of the first input, and has the same autocast.
 *
 * @param inputs all that `body` reads of the graph around it. Leaves, such as the parameters of a module, it may use directly
 * @param body gives floating-point tensors; it runs twice, so it must do the same each time
 * @param options buffers: tensors that `body` changes in place, such as running statistics. The second run leaves them alone
 * @returns what `body` gives
 */
export function recomputed(
  inputs: readonly Tensor[],
  body: (inputs: readonly Tensor[]) => readonly Tensor[],
  options: { readonly buffers?: readonly Tensor[] } = {},
): Tensor[] {
  if (!recordsOperators()) return [...body(inputs)];
  const { buffers = [] } = options;
  const device = inputs[0]?.device ?? 'cpu';
  const state = generatorState(device);
  const lower = autocastDevice();
  // Tensors of its own, whatever the caller frees meanwhile.
  const own = inputs.map((input) => sameIn(input).keep());
  const leaves = noGrad(() => scope(() => body(inputs).map((output) => output.detach().keep())));
  for (const leaf of leaves) leaf.requiresGrad = true;
  const learned = own.map((input) => input.requiresGrad);
  recordSegment({
    inputs: own.filter((_, place) => learned[place]),
    outputs: leaves,
    again() {
      const before = generatorState(device);
      const values = noGrad(() => buffers.map((buffer) => buffer.clone()));
      const copies = own.map((input, place) => {
        const copy = input.detach();
        copy.requiresGrad = learned[place] as boolean;
        return copy;
      });
      try {
        setGeneratorState(state, device);
        const outputs = enableGrad(() =>
          lower === undefined
            ? autocast('float32', () => body(copies))
            : autocast('bfloat16', () => body(copies), lower),
        );
        return { inputs: copies.filter((_, place) => learned[place]), outputs };
      } finally {
        setGeneratorState(before, device);
        noGrad(() => {
          for (const [place, buffer] of buffers.entries()) buffer.copy_(values[place] as Tensor);
        });
      }
    },
    free() {
      for (const tensor of [...own, ...leaves]) tensor.free();
    },
  });
  return leaves.map(sameIn);
}

/** Another name for a tensor at its place in the graph. */
const sameIn = (tensor: Tensor): Tensor => tensor.view(tensor.shape);
