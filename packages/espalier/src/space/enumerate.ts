import { firstAnswer, nextAnswer } from './answers.js';
import type { Answer } from './language.js';
import { type ProgramSource, trace } from './trace.js';

/** Every decision sequence of a program, lazily, in lexicographic order. */
export function* enumerateSequences(source: ProgramSource<unknown>): Generator<readonly Answer[], void> {
  let start: readonly Answer[] | undefined = [];
  while (start !== undefined) {
    const given: readonly Answer[] = start;
    const { asked } = trace(source, ({ question }, i) => given[i] ?? firstAnswer(question));
    const sequence = asked.map(({ answer }) => answer);
    yield sequence;
    start = undefined;
    for (let i = asked.length - 1; i >= 0 && start === undefined; i--) {
      const { question, answer } = asked[i] as (typeof asked)[number];
      const next = nextAnswer(question, answer);
      if (next !== undefined) start = [...sequence.slice(0, i), next];
    }
  }
}
