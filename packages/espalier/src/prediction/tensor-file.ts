import { statSync } from 'node:fs';
import { DamagedFile, loadTensors, type Tensor } from '@espalier/torch';
import { InputError } from '../input-error.js';

/**
 * Reads the tensors of a safetensors file.
 *
 * @param wanted for messages: what the file should be
 * @param advice for messages: what to do with a file of another kind
 * @throws InputError if there is no such file, or if it is not a safetensors file
 */
export function readTensorFile(file: string, wanted: string, advice = ''): Map<string, Tensor> {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found?.isFile())
    throw new InputError(
      `${file}: ${found === undefined ? 'does not exist' : 'is not a file'}; expected ${wanted}`,
    );
  try {
    return loadTensors(file).tensors;
  } catch (error) {
    throw new InputError((error as Error).message + (error instanceof DamagedFile ? '' : advice));
  }
}
