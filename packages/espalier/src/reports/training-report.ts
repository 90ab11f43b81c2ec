import { type Report, writeReport } from '../drawing/report-html.js';
import type { Svg } from '../drawing/svg.js';
import { endOf, epochsOf, measureIn } from '../experiments/run-result.js';
import type { TrainingRunSettings } from '../experiments/training-run-settings.js';
import { confusionIn, unionsIn } from '../measures/confusion.js';
import type { Measures } from '../measures/measure.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { confusionSections } from './confusion-sections.js';
import { epochCurve, inEvent } from './epoch-curve.js';
import { duration, valueText } from './figures.js';
import { measureOf } from './measure-words.js';
import { sampleSections } from './sample-sections.js';
import { settingsTable } from './settings-table.js';

/** What the page of a training shows besides its journal. */
export interface TrainingPictures {
  /** Names of the classes, where the network tells classes apart. */
  readonly classes?: readonly string[];
  /** What the network makes of a few inputs: PNG files of pictures side by side. */
  readonly samples?: readonly { readonly name: string; readonly png: Uint8Array }[];
  /** The epoch whose weights it ends with, where it keeps the best; otherwise those of the last. */
  readonly bestEpoch?: number;
  /** Where the weights come from that it was begun with. */
  readonly start?: string;
  /** The network. */
  readonly network?: Svg;
  /** Why there is no picture of the network. */
  readonly notDrawn?: string;
}

/** What a training came to, as one page: its curves, its measures, its network, and its settings. */
export function reportTraining(
  settings: TrainingRunSettings,
  events: readonly JournalEvent[],
  { classes = [], samples = [], bestEpoch, start, network, notDrawn }: TrainingPictures = {},
): string {
  const { objectives, judge = 'test', task, architecture } = settings;
  const [objective] = objectives;
  const epochs = epochsOf(events);
  const end = endOf(events);
  const measures = (end?.measures ?? {}) as unknown as Measures;
  const { architecture: _, ...options } = settings;
  const space = (architecture as { readonly space: string }).space;
  const confusion = confusionIn(end?.details);
  const last = epochs.at(-1);
  const seconds = epochs.reduce((sum, { clock }) => sum + Number(clock?.seconds ?? 0), 0);
  const report: Report = {
    title: `Training: ${space.replace(/^.*[/\\]/, '')}, ${task.data.split(':')[0]}`,
    facts: [
      ['epochs', `${epochs.length} of ${settings.training.epochs}`],
      ...Object.entries(measures).map(
        ([name, value]) => [`${judge} ${name}`, valueText(measureOf(objectives, name), value)] as const,
      ),
      ...(last === undefined ? [] : [['training loss', (last.loss as number).toFixed(4)] as const]),
      ...(bestEpoch === undefined ? [] : [['weights of', `epoch ${bestEpoch}, the best`] as const]),
      ...(start === undefined ? [] : [['begun with the weights of', start] as const]),
      ...(seconds > 0 ? [['time of training', duration(seconds)] as const] : []),
    ],
    sections: [
      ...epochCurve('Training loss by epoch', 'mean loss of the epoch', epochs, [
        { name: 'training loss', of: inEvent('loss') },
      ]),
      // None where the journal does not have it: most trainings are not validated.
      ...epochCurve(`Validation ${objective.name} by epoch`, objective.name, epochs, [
        { name: `validation ${objective.name}`, of: (event) => measureIn(event, objective.name) },
      ]),
      ...(confusion === undefined
        ? []
        : confusionSections(confusion, classes, judge, unionsIn(end?.details))),
      ...sampleSections(samples, judge),
      ...(network === undefined ? [] : [{ heading: 'The network', svg: network }]),
      ...(notDrawn === undefined ? [] : [{ heading: 'The network', text: notDrawn }]),
      { heading: 'Settings', table: settingsTable(options), collapsed: true },
    ],
  };
  return writeReport(report);
}
