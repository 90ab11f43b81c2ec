import { firstAnswer, nextAnswer } from './answers.js';
import type { Answer } from './language.js';
import { type ProgramSource, trace } from './trace.js';

/** Every answer sheet of a program, one at a time, in lexical order. */
export function* enumerateSheets(source: ProgramSource<unknown>): Generator<readonly Answer[], void> {
  let start: readonly Answer[] | undefined = [];
  while (start !== undefined) {
    const given: readonly Answer[] = start;
    const { asked } = trace(source, ({ question }, i) => given[i] ?? firstAnswer(question));
    const sheet = asked.map(({ answer }) => answer);
    yield sheet;
    start = undefined;
    for (let i = asked.length - 1; i >= 0 && start === undefined; i--) {
      const { question, answer } = asked[i] as (typeof asked)[number];
      const next = nextAnswer(question, answer);
      if (next !== undefined) start = [...sheet.slice(0, i), next];
    }
  }
}
