import type { FoundArchitecture } from '../experiments/found-architecture.js';
import { InputError } from '../input-error.js';
import { taskFrom } from '../tasks/task-settings.js';
import { dataForms, type TaskFlags } from './task-flags.js';

/**
 * The data of the flag, or that of the run that the architecture comes from, in the size that it had there.
 *
 * @throws InputError where neither says it
 */
export function dataFor(
  path: string,
  { task }: FoundArchitecture,
  flags: Pick<TaskFlags, 'imageSize'> & { readonly data?: string },
  paperSize: number | undefined,
): { readonly data: string; readonly imageSize?: number } {
  const before = task === undefined ? undefined : taskFrom(process.cwd(), task);
  const data = flags.data ?? before?.data;
  if (data === undefined)
    throw new InputError(`--data is missing: '${path}' is no run, which would say it; allowed: ${dataForms}`);
  if (flags.imageSize !== undefined) return { data, imageSize: flags.imageSize };
  // Data of one size has no other, whatever a paper says.
  const hadSize = before?.imageSize !== undefined && before.data.split(':')[0] === data.split(':')[0];
  const imageSize = paperSize ?? before?.imageSize;
  return { data, ...(hadSize && imageSize !== undefined ? { imageSize } : {}) };
}
