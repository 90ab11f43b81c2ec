import type { Dtype, Tensor } from '@espalier/torch';
import { InputError } from '../input-error.js';
import { readTensorFile } from './tensor-file.js';

/**
 * Reads the only tensor of a safetensors file.
 *
 * @param dtype the element type that it must have
 * @param shapes its allowed shapes, in words, by the number of dimensions
 * @throws InputError for a file of another kind, another number of tensors, another element type or other dimensions
 */
export function readInputTensor(file: string, dtype: Dtype, shapes: ReadonlyMap<number, string>): Tensor {
  const allowed = `one ${dtype} tensor ${[...shapes.values()].join(' or ')}`;
  const tensors = readTensorFile(file, `a safetensors file with ${allowed}`);
  const [entry] = tensors;
  if (entry === undefined || tensors.size > 1)
    throw new InputError(
      `${file}: has ${tensors.size} tensors${entry === undefined ? '' : `: ${[...tensors.keys()].join(', ')}`}; ` +
        `allowed: ${allowed}`,
    );
  const [name, tensor] = entry;
  if (tensor.dtype !== dtype || !shapes.has(tensor.shape.length))
    throw new InputError(
      `${file}: ${name} is a ${tensor.dtype} tensor [${tensor.shape}]; allowed: ${allowed}`,
    );
  return tensor;
}

/** Whether a path is that of a safetensors file, by its extension. */
export function isTensorFile(path: string): boolean {
  return path.toLowerCase().endsWith('.safetensors');
}
