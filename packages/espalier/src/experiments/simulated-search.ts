import { bisector } from 'd3-array';
import { goodness } from '../measures/measure.js';
import type { Proposal, Strategy } from '../strategies/strategy.js';
import type { Table, TableEntry } from '../tables/table.js';

/** The architecture that a search would answer with from some time on. */
interface Improvement {
  /** Simulated seconds since the search began. */
  readonly seconds: number;
  /** What the search sees of it. */
  readonly seen: number;
  /** What it is judged by. */
  readonly judged: number;
}

/** What a search on a simulated clock came to. */
export interface SimulatedSearch {
  /** Trials whose results came in time. */
  readonly trials: number;
  /** In the order of time. Empty if the budget was too small for a single result. */
  readonly improvements: readonly Improvement[];
}

interface RunningTrial {
  readonly trial: number;
  readonly proposal: Proposal;
  readonly entry: TableEntry;
  readonly ends: number;
}

const byEnd = bisector(({ ends }: RunningTrial) => ends);

/**
 * Searches in a table on a simulated clock. `workers` trials run at once, each for as long as the table says, and
 * results are told in the order in which they end; of several at the same time, the one that began first. The search is
 * asked for the best value seen so far, whatever the epochs of the trial. Results after the budget do not count.
 *
 * @param budget simulated seconds
 * @throws InputError for a trial that is not in the table
 */
export function simulateSearch(
  strategy: Strategy,
  table: Table,
  budget: number,
  workers: number,
): SimulatedSearch {
  const [objective] = table.objectives;
  const running: RunningTrial[] = [];
  const epochs: (number | undefined)[] = [];
  const improvements: Improvement[] = [];
  let [clock, trials] = [0, 0];
  for (;;) {
    while (running.length < workers) {
      const asked = strategy.ask();
      if (typeof asked === 'string') break;
      const epochsDone = asked.continues === undefined ? undefined : epochs[asked.continues];
      const entry = table.look({ ...asked, ...(epochsDone === undefined ? {} : { epochsDone }) });
      const one = { trial: epochs.length, proposal: asked, entry, ends: clock + entry.cost };
      epochs.push(asked.epochs);
      running.splice(byEnd.right(running, one.ends), 0, one);
    }
    const next = running.shift();
    if (next === undefined || next.ends > budget) return { trials, improvements };
    clock = next.ends;
    trials++;
    const { seen, judged } = next.entry;
    const value = { status: 'ok', value: seen, goodness: goodness(objective, seen) } as const;
    const measures = { [objective.name]: seen };
    strategy.tell({ ...next.proposal, trial: next.trial, outcome: { ...value, measures } });
    const best = improvements.at(-1);
    if (best === undefined || value.goodness > goodness(objective, best.seen))
      improvements.push({ seconds: clock, seen, judged });
  }
}
