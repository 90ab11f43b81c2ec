import { noGrad, scope, type Tensor } from '@espalier/torch';
import { InputError } from '../input-error.js';

/** What a network makes of N inputs, among K classes. */
export interface Prediction {
  /** [N][K] */
  readonly logits: readonly (readonly number[])[];
  /** [N]: the class with the highest logit; the first of equal ones. */
  readonly classes: readonly number[];
  /** [N][K]: the softmax of the logits. */
  readonly probabilities: readonly (readonly number[])[];
}

/** The prediction that logits [N, K] are. @throws InputError where one is not finite */
export function predictionOf(logits: Tensor): Prediction {
  return scope(() =>
    noGrad(() => {
      const rows = rowsOf(logits);
      for (const [index, row] of rows.entries()) {
        const strange = row.findIndex((logit) => !Number.isFinite(logit));
        if (strange >= 0)
          throw new InputError(
            `the network gives input ${index} the logit ${row[strange]} for class ${strange}: ` +
              'its weights or the input are out of range',
          );
      }
      return {
        logits: rows,
        classes: rows.map((row) => row.indexOf(Math.max(...row))),
        probabilities: rowsOf(logits.softmax(1, 'float64')),
      };
    }),
  );
}

function rowsOf(matrix: Tensor): number[][] {
  const width = matrix.shape[1] as number;
  const values = matrix.toNumbers();
  return Array.from({ length: values.length / width }, (_, row) =>
    values.slice(row * width, (row + 1) * width),
  );
}
