import { measureIn } from '../experiments/run-result.js';
import type { Measure } from '../measures/measure.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { courseText } from './course-text.js';
import { inEvent } from './epoch-curve.js';
import { valueText } from './figures.js';

/** How the training loss and the deciding validation measure went, a line each for the terminal. */
export function epochCourses(epochs: readonly JournalEvent[], objective: Measure): string[] {
  const valuesOf = (of: (epoch: JournalEvent) => number | undefined) =>
    epochs.map(of).filter((value) => value !== undefined);
  return [
    ...courseText('training loss', valuesOf(inEvent('loss')), (loss) => loss.toFixed(4)),
    ...courseText(
      `validation ${objective.name}`,
      valuesOf((epoch) => measureIn(epoch, objective.name)),
      (value) => valueText(objective, value),
    ),
  ].map((line) => `  ${line}`);
}
