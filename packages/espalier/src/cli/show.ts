import type { Command } from 'commander';
import { isEvaluation } from '../experiments/evaluation.js';
import { isSupernetRun } from '../experiments/supernet-run.js';
import { describeEvaluation, plainEvaluation, writeEvaluationReport } from './run-evaluation.js';
import { describeRun, writeRunReport } from './run-search.js';
import { describeSupernet, writeSupernetResult } from './run-supernet.js';
import { openTerminal } from './terminal.js';

export function addShow(program: Command): void {
  program
    .command('show')
    .description(
      'draw the best network and the reward curve of a search, or tell an evaluation, and write its report',
    )
    .argument('<folder>', 'run folder')
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (path: string, { json }: { json: boolean }) => {
      const terminal = openTerminal(json);
      if (isEvaluation(path)) {
        const summary = writeEvaluationReport(path);
        terminal.result(describeEvaluation(summary));
        terminal.json(plainEvaluation(summary));
        return;
      }
      if (isSupernetRun(path)) {
        const found = await writeSupernetResult(path);
        terminal.result(describeSupernet(found));
        terminal.json(found);
        return;
      }
      const summary = await writeRunReport(path);
      terminal.result(describeRun(summary));
      terminal.json(summary);
    });
}
