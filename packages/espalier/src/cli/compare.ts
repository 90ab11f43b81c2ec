import type { Command } from 'commander';
import { findArchitecture, resultOf } from '../kinds/kinds-of-run.js';
import { type Comparison, compareMethods } from '../reports/method-comparison.js';
import { methodsPage, methodsText } from '../reports/method-report.js';
import { stageAgreements, stagesOf } from '../reports/stage-agreement.js';
import { openTerminal } from '../terminal/terminal.js';
import { writeOutput } from './write-output.js';

export function addCompare(program: Command): void {
  program
    .command('compare')
    .description(
      'methods side by side over seeds, each with random search: table, tests, intervals and plots',
    )
    .argument('<folder...>', 'run folders of searches and trainings')
    .option('--out <file>', 'the page with the plots', 'comparison.html')
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (paths: string[], { out, json }: { out: string; json: boolean }) => {
      const terminal = openTerminal(json);
      const staged = await stagesOf([...new Set(paths)].map(resultOf), findArchitecture);
      const comparisons = compareMethods(staged.results);
      const agreements = stageAgreements(staged);
      writeOutput(out, methodsPage(comparisons, agreements));
      terminal.result(`${methodsText(comparisons, agreements)}\n\nreport ${out}`);
      terminal.json({ comparisons: comparisons.map(plain), agreements, report: out });
    });
}

/** A comparison for `--json`: null is what there is not. */
function plain({ measure, space, data, methods, notes }: Comparison) {
  return {
    measure: measure.name,
    better: measure.better,
    space,
    data,
    notes,
    methods: methods.map(
      ({ name, strategy, settings, runs, summary, interval, device, hours, budget, against }) => ({
        name,
        strategy,
        settings,
        ...summary,
        deviation: summary.deviation ?? null,
        interval: interval ?? null,
        device,
        hours,
        budget,
        against:
          against === undefined
            ? null
            : {
                ...against,
                interval: against.interval ?? null,
                test: against.test ?? null,
                pairs: against.pairs ?? null,
              },
        runs: runs.map((run) => ({ run: run.path, seed: run.label, value: run.value, hours: run.hours })),
      }),
    ),
  };
}
