import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const examples = fileURLToPath(new URL('../../../../examples/', import.meta.url));

/** Copies files of examples/ into a folder, as a user would begin with them. */
export function copyExamples(folder: string, ...names: string[]): void {
  for (const name of names) cpSync(join(examples, name), join(folder, name));
}

/** The same with one piece of its text changed. */
export function changeExample(name: string, before: string, after: string, to: string): void {
  const source = readFileSync(join(examples, name), 'utf8');
  const changed = source.replace(before, after);
  if (changed === source) throw new Error(`${name} does not have the text ${before}`);
  writeFileSync(to, changed);
}

/**
 * An estimator that measures how large the numbers of a decision sequence are, and takes `seconds` for it.
 *
 * @param seconds an expression with `trial`, the number of the trial
 */
export function writeEstimator(
  file: string,
  { seconds = '0', costUnit }: { seconds?: string; costUnit?: string } = {},
): void {
  writeFileSync(
    file,
    `import { setTimeout } from 'node:timers/promises';
import { accuracy, defineEstimator } from 'espalier';

export default defineEstimator({
  name: 'digits',
  open: () => ({
    objectives: [accuracy],${costUnit === undefined ? '' : `\n    costUnit: '${costUnit}',`}
    async estimate({ trial, answers }) {
      await setTimeout(1000 * (${seconds}));
      const sum = answers.flat().reduce((total, answer) => total + answer, 0);
      return { measures: { accuracy: sum / (sum + 10) }${costUnit === undefined ? '' : ', cost: 2'} };
    },
  }),
});
`,
  );
}
