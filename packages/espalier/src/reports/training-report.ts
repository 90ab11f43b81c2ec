import { drawBands } from '../drawing/band-chart-svg.js';
import { type Report, writeReport } from '../drawing/report-html.js';
import { endOf, epochsOf, measureIn } from '../experiments/run-result.js';
import type { TrainingRunSettings } from '../experiments/training-run.js';
import type { Measures } from '../measures/measure.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { capitalised, valueText } from './figures.js';
import { settingsTable } from './settings-table.js';

/** What a training came to, as one page: its curves, its measures, and its settings. */
export function reportTraining(settings: TrainingRunSettings, events: readonly JournalEvent[]): string {
  const { objectives, judge = 'test', task, architecture } = settings;
  const [objective] = objectives;
  const epochs = epochsOf(events);
  const end = endOf(events);
  const measures = (end?.measures ?? {}) as unknown as Measures;
  const { architecture: _, ...options } = settings;
  const space = (architecture as { readonly space: string }).space;
  const report: Report = {
    title: `Training: ${space.replace(/^.*[/\\]/, '')}, ${task.data.split(':')[0]}`,
    facts: [
      ['epochs', `${epochs.length} of ${settings.training.epochs}`],
      ...Object.entries(measures).map(
        ([name, value]) =>
          [
            `${judge} ${name}`,
            valueText(objectives.find((one) => one.name === name) ?? name, value),
          ] as const,
      ),
    ],
    sections: [
      ...curve(epochs, 'Training loss by epoch', 'loss', ({ loss }) => loss as number),
      ...curve(
        epochs,
        `Validation ${objective.name} by epoch`,
        objective.name,
        (event) => measureIn(event, objective.name) ?? Number.NaN,
      ),
      { heading: 'Settings', table: settingsTable(options), collapsed: true },
    ],
  };
  return writeReport(report);
}

/** None where the journal does not have the value: most trainings are not validated. */
function curve(
  epochs: readonly JournalEvent[],
  title: string,
  axis: string,
  measuredIn: (event: JournalEvent) => number,
): Report['sections'] {
  const steps = epochs.flatMap((event) => {
    const value = measuredIn(event);
    return Number.isFinite(value)
      ? [{ x: event.epoch as number, low: value, middle: value, high: value }]
      : [];
  });
  if (steps.length === 0) return [];
  const svg = drawBands({ title, xAxis: 'epoch', yAxis: axis, line: axis, series: [{ name: axis, steps }] });
  return [{ heading: capitalised(title), svg }];
}
