import { searchForm } from './search-form.js';
import type { TableOptions } from './table-options.js';

/** A form of table that is known by its columns. */
type Form = (columns: readonly string[]) => Partial<TableOptions> | undefined;

/**
 * A data set of NAS-Bench-201 (Dong & Yang 2020). A search trains each cell for 12 epochs and pays their share of the
 * seconds that 200 take; what it found is judged by the test accuracy after 200 epochs, the mean over the seeds.
 */
const nasBench201: Form = (columns) => {
  const find = (form: RegExp) => columns.find((column) => form.test(column));
  const cost = find(/^train_time_200ep_s_/);
  const [brief, long] = [find(/val_12ep$/), find(/val_200ep_mean$/)];
  const judged = find(/test_200ep_mean$/);
  if (!columns.includes('arch') || cost === undefined || brief === undefined || judged === undefined)
    return undefined;
  return {
    architecture: 'arch',
    seen: [`12:${brief}`, ...(long === undefined ? [] : [`200:${long}`])].join(','),
    judged,
    cost,
    costEpochs: 200,
    epochs: 12,
    measure: 'accuracy',
    percent: true,
  };
};

const forms: readonly Form[] = [nasBench201, searchForm];

/** What is known about a table with these columns; nothing about one in no known form. */
export function knownForm(columns: readonly string[]): Partial<TableOptions> {
  for (const form of forms) {
    const known = form(columns);
    if (known !== undefined) return known;
  }
  return {};
}
