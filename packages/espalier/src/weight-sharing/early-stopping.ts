/**
 * When a search stops for a growing eigenvalue, as the code of DARTS-ES has it (Zela et al. 2020, section 4.3; EVLocalAvg
 * in the authors' src/utils.py with the values of their scripts). Their epochs are counted from 0; these from 1.
 */

/** The eigenvalue is taken in the first epoch and in every second one after it. */
const EVERY = 2;
/** Eigenvalues that are averaged. */
const WINDOW = 5;
/** The average is compared with the one so many eigenvalues before. */
const BACK = 4;
/** The ratio of the two above which the search stops. */
const RATIO = 1.3;
/** The search never goes back to one of the first epochs. */
const FIRST_EPOCHS = 10;

/** Whether the eigenvalue is taken after an epoch. */
export function takesEigenvalue(epoch: number): boolean {
  return (epoch - 1) % EVERY === 0;
}

/**
 * The epoch whose architecture a search goes back to: the middle of the earlier window. Undefined while the eigenvalue has
 * not grown by more than 30%, or where that epoch would be one of the first ten.
 *
 * @param eigenvalues those taken so far, the first of them after epoch 1
 */
export function epochBeforeGrowth(eigenvalues: readonly number[]): number | undefined {
  const last = 1 + EVERY * (eigenvalues.length - 1);
  const epoch = last - EVERY * (BACK + Math.floor(WINDOW / 2));
  if (epoch <= FIRST_EPOCHS) return undefined;
  const meanUntil = (end: number) =>
    eigenvalues.slice(end - WINDOW, end).reduce((sum, value) => sum + value, 0) / WINDOW;
  const [before, now] = [meanUntil(eigenvalues.length - BACK), meanUntil(eigenvalues.length)];
  return now / before > RATIO ? epoch : undefined;
}
