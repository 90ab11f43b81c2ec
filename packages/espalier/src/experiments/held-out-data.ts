import { InputError } from '../input-error.js';
import { resolveOptions } from '../space/options.js';
import { findTask } from '../tasks/find-task.js';
import { type TaskSettings, taskIn } from '../tasks/task-settings.js';
import type { TrainingRunSettings } from './training-run-settings.js';

/**
 * Whether a training holds data out: always, or, where that would be training data, only to decide something.
 *
 * @param task with paths from the root
 */
async function holdsOut(
  task: TaskSettings,
  { judge, training }: Pick<TrainingRunSettings, 'judge' | 'training'>,
): Promise<boolean> {
  const { definition } = await findTask(task.name, process.cwd());
  const { keepBest } = resolveOptions('the training', definition.training.options, training);
  return !definition.heldOut || judge === 'validation' || keepBest === true;
}

/**
 * The data of a training. A network about which nothing is decided any more learns from all of them, unless the best epoch
 * is yet to be chosen.
 *
 * @param task with paths from the root
 * @throws InputError where the number of inputs that are held out is given although none are
 */
export async function dataOf(
  task: TaskSettings,
  training: Pick<TrainingRunSettings, 'judge' | 'training'>,
): Promise<TaskSettings> {
  if (await holdsOut(task, training)) return task;
  if (task.validation !== undefined)
    throw new InputError(
      `--validation ${task.validation}: this training learns from all training data; with --set keepBest=true some are held ` +
        'out to choose the best epoch',
    );
  return { ...task, validation: 0 };
}

/**
 * The task of a training that is a part of other work, where how much is held out is said for all trainings: those that hold
 * nothing out do without it.
 *
 * @param found the same task with paths from the root
 */
export async function taskOfPart(
  task: TaskSettings,
  training: Pick<TrainingRunSettings, 'judge' | 'training'>,
  found: TaskSettings = taskIn(process.cwd(), task),
): Promise<TaskSettings> {
  const { validation, ...whole } = task;
  return validation === undefined || (await holdsOut(found, training)) ? task : whole;
}
