import { drawLines } from '../drawing/line-chart-svg.js';
import type { Report } from '../drawing/report-html.js';
import type { JournalEvent } from '../runs/journal-event.js';

/** A value that the journal has of epochs. */
export interface EpochValue {
  readonly name: string;
  /** Undefined where the journal does not have it. */
  of(epoch: JournalEvent): number | undefined;
}

/** A section with lines of values by epoch; none where the journal has none of them. */
export function epochCurve(
  heading: string,
  axis: string,
  epochs: readonly JournalEvent[],
  values: readonly EpochValue[],
): Report['sections'] {
  const series = values
    .map(({ name, of }) => ({
      name,
      points: epochs.flatMap((event) => {
        const y = of(event);
        return y === undefined || !Number.isFinite(y) ? [] : [{ x: event.epoch as number, y }];
      }),
    }))
    .filter(({ points }) => points.length > 0);
  if (series.length === 0) return [];
  return [{ heading, svg: drawLines({ title: heading, xAxis: 'epoch', yAxis: axis, series }) }];
}

/** A number that stands in the event of an epoch itself. */
export const inEvent =
  (key: string) =>
  (event: JournalEvent): number | undefined =>
    typeof event[key] === 'number' ? event[key] : undefined;
