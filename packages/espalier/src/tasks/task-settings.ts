import { isAbsolute, relative, resolve } from 'node:path';
import { z } from 'zod';
import { LEVELS } from '../data/text-level.js';
import { isFile } from '../modules/user-module.js';

/** Which task a run works on, with which data, and how much of it. */
export const taskSettings = z.strictObject({
  name: z.string().describe('name of the task, or the path of its file'),
  /** Of the file of a user's task. */
  checksum: z.string().optional(),
  data: z.string().describe('kind:path'),
  limit: z.int().min(2).optional().describe('only the first N training inputs (images, tokens, rows)'),
  validation: z
    .int()
    .min(0)
    .optional()
    .describe(
      'training inputs held out for validation (Zoph & Le, 4.1: 5,000 of 50,000). By default a tenth, or half of them ' +
        'where weights are shared. Of data with a validation part of its own: the first N inputs of it, and of a text also ' +
        'the first N tokens of the test text',
    ),
  imageSize: z
    .int()
    .min(1)
    .optional()
    .describe('height and width of the images in pixels, where the data has them in any size'),
  level: z
    .enum(LEVELS)
    .optional()
    .describe('what the tokens of a text are: its words, where it is missing, or its characters'),
  seed: z.int().describe('seed of the choice of what is held out'),
});

export type TaskSettings = z.infer<typeof taskSettings>;

/** The settings with paths from the root: the data's, if it has one, and that of a user's task. */
export function taskIn(folder: string, settings: TaskSettings): TaskSettings {
  const { name, data } = settings;
  const colon = data.indexOf(':');
  return {
    ...settings,
    name: isFile(name) ? resolve(folder, name) : name,
    data: colon < 0 ? data : `${data.slice(0, colon)}:${resolve(folder, data.slice(colon + 1))}`,
  };
}

/** The same with paths that begin at a folder, where they lie in it: a run that is moved along with its data still finds them. */
export function taskFrom(folder: string, settings: TaskSettings): TaskSettings {
  const { name, data } = settings;
  const colon = data.indexOf(':');
  const inside = (path: string) => {
    const own = relative(folder, path);
    return isAbsolute(path) && own !== '' && !own.startsWith('..') && !isAbsolute(own) ? own : path;
  };
  return {
    ...settings,
    name: isFile(name) ? asFile(inside(name)) : name,
    data: colon < 0 ? data : `${data.slice(0, colon)}:${inside(data.slice(colon + 1))}`,
  };
}

/** A path that no one takes for a name: './' stands before one that begins at the folder. */
function asFile(path: string): string {
  return isAbsolute(path) || path.startsWith('./') ? path : `./${path}`;
}
