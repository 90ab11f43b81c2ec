import { hasAnySize } from '../data/open-data.js';
import type { FoundArchitecture } from '../experiments/found-architecture.js';
import { InputError } from '../input-error.js';
import { taskFrom } from '../tasks/task-settings.js';
import { dataForms, type TaskFlags } from './task-flags.js';

/**
 * The data of the flag, or that of the run that the architecture comes from, in the size and at the level that it had there.
 *
 * @throws InputError where neither says it
 */
export function dataFor(
  path: string,
  { task }: FoundArchitecture,
  flags: Pick<TaskFlags, 'imageSize' | 'level'> & { readonly data?: string },
  paperSize: number | undefined,
): { readonly data: string } & Pick<TaskFlags, 'imageSize' | 'level'> {
  const before = task === undefined ? undefined : taskFrom(process.cwd(), task);
  const data = flags.data ?? before?.data;
  if (data === undefined)
    throw new InputError(`--data is missing: '${path}' is no run, which would say it; allowed: ${dataForms}`);
  const like = before?.data.split(':')[0] === data.split(':')[0] ? before : undefined;
  const level = flags.level ?? like?.level;
  // Data of one size has no other, whatever a paper says.
  const usual =
    like?.imageSize !== undefined || hasAnySize(data) ? (paperSize ?? like?.imageSize) : undefined;
  const imageSize = flags.imageSize ?? usual;
  return {
    data,
    ...(imageSize === undefined ? {} : { imageSize }),
    ...(level === undefined ? {} : { level }),
  };
}
