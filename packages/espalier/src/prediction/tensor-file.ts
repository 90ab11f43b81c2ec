import { statSync } from 'node:fs';
import { loadTensors, type Tensor } from '@espalier/torch';
import { InputError } from '../input-error.js';

/**
 * The tensors of a safetensors file.
 *
 * @param wanted for messages: what should be there
 * @param advice for messages: what to do about a file of another kind
 * @throws InputError where there is no such file, and where it is none of the kind
 */
export function readTensorFile(file: string, wanted: string, advice = ''): Map<string, Tensor> {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile())
    throw new InputError(
      `${file}: ${found === undefined ? 'does not exist' : 'is no file'}; expected ${wanted}`,
    );
  try {
    return loadTensors(file).tensors;
  } catch (error) {
    throw new InputError((error as Error).message + advice);
  }
}
