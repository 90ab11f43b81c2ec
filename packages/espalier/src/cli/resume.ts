import type { Command } from 'commander';
import { isEvaluation } from '../experiments/evaluation.js';
import { headerOf, prepareResume } from '../experiments/experiment.js';
import { readRun } from '../experiments/found-architecture.js';
import { isSupernetRun } from '../experiments/supernet-run.js';
import { isTraining } from '../experiments/training-run.js';
import { countedIn } from '../reports/child-name.js';
import { runEvaluation } from './run-again.js';
import { describeEvaluation, plainEvaluation } from './run-evaluation.js';
import { describeRun, runToEnd, writeRunReport } from './run-search.js';
import { describeSupernet, runSupernet } from './run-supernet.js';
import { describeTraining, runTraining } from './run-training.js';
import { openTerminal } from './terminal.js';

export function addResume(program: Command): void {
  program
    .command('resume')
    .description('go on with a search, a training or an evaluation that was stopped or killed')
    .argument('<folder>', 'run folder')
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (path: string, { json }: { json: boolean }) => {
      const terminal = openTerminal(json);
      if (isTraining(path)) {
        const result = await runTraining(path, terminal);
        terminal.result(describeTraining(result));
        terminal.json(result);
        return;
      }
      if (isEvaluation(path)) {
        const summary = await runEvaluation(path, terminal);
        terminal.result(describeEvaluation(summary));
        terminal.json(plainEvaluation(summary));
        return;
      }
      if (isSupernetRun(path)) {
        const summary = await runSupernet(path, terminal);
        terminal.result(describeSupernet(summary));
        terminal.json(summary);
        return;
      }
      const run = await readRun(path);
      if (run.state.finished) {
        terminal.line(`${path}: the search is finished; there is nothing to go on with`);
        const summary = await writeRunReport(path);
        terminal.result(describeRun(summary));
        terminal.json(summary);
        return;
      }
      const experiment = await prepareResume(headerOf(run.settings), run.from);
      terminal.line(
        `${path}: going on after ${run.state.told} of ${run.state.header.trials} ${countedIn(run.state)}`,
      );
      const summary = await runToEnd(experiment, run.folder, terminal);
      terminal.result(describeRun(summary));
      terminal.json(summary);
    });
}
