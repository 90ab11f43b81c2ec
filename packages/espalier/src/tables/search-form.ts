import type { TableOptions } from './table-options.js';

/** What the columns of a table are called that was made of searches (`espalier table`). */
export const SEARCHED = {
  architecture: 'architecture',
  /** The measure that a search sees: of a child that was trained for so many epochs, if its training says. */
  seen: (measure: string, epochs: number | undefined) =>
    epochs === undefined ? `seen_${measure}` : `seen_${measure}_${epochs}ep`,
  judged: (measure: string) => `judged_${measure}`,
  cost: 'cost',
};

const SEEN = /^seen_(?<measure>\w+?)(?:_(?<epochs>\d+)ep)?$/;

/**
 * A table that was made of searches. Children that were trained for fewer epochs are those that were trained for all of
 * them, on their way, so one that goes on pays only the rest.
 */
export function searchForm(columns: readonly string[]): Partial<TableOptions> | undefined {
  const seen = columns.flatMap((column) => {
    const { measure, epochs } = SEEN.exec(column)?.groups ?? {};
    return measure === undefined ? [] : [{ column, measure, epochs }];
  });
  const [first] = seen;
  if (first === undefined || !columns.includes(SEARCHED.cost)) return undefined;
  const { measure } = first as { measure: TableOptions['measure'] & string };
  const judged = SEARCHED.judged(measure);
  const epochs = seen.map((one) => Number(one.epochs));
  return {
    architecture: SEARCHED.architecture,
    ...(columns.includes(judged) ? { judged } : {}),
    cost: SEARCHED.cost,
    measure,
    ...(first.epochs === undefined
      ? { seen: first.column }
      : {
          seen: seen.map((one) => `${one.epochs}:${one.column}`).join(','),
          epochs: Math.max(...epochs),
          costEpochs: Math.max(...epochs),
          continues: true,
        }),
  };
}
