import { z } from 'zod';
import { drawBands } from '../drawing/band-chart-svg.js';
import type { Svg } from '../drawing/svg.js';
import type { JournalEvent } from '../runs/journal-event.js';

const update = z.looseObject({ update: z.int(), staleness: z.array(z.number()).nonempty() });

/**
 * How stale the gradients of each update of a parameter server were. Undefined for a strategy without one, and where no
 * gradient was stale, as with one replica.
 */
export function stalenessCurve(events: readonly JournalEvent[]): Svg | undefined {
  const steps = events.flatMap((event) => {
    const { success, data } = update.safeParse(event);
    if (!success) return [];
    const { staleness } = data;
    return {
      x: data.update,
      low: Math.min(...staleness),
      middle: staleness.reduce((sum, one) => sum + one, 0) / staleness.length,
      high: Math.max(...staleness),
    };
  });
  if (steps.every(({ high }) => high === 0)) return undefined;
  return drawBands({
    title: 'Staleness by update',
    xAxis: 'update',
    yAxis: 'updates since the children were drawn',
    line: 'mean of the gradients of an update',
    band: 'from the least to the most stale one',
    series: [{ name: 'staleness', steps }],
  });
}
