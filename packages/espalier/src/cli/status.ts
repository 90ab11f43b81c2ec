import type { Command } from 'commander';
import { isEvaluation, readEvaluation } from '../experiments/evaluation.js';
import { readRun } from '../experiments/found-architecture.js';
import { isSupernetRun } from '../experiments/supernet-run.js';
import { childName, countedIn } from '../reports/child-name.js';
import { valueText } from '../reports/figures.js';
import { recentAverage } from '../reports/search-report.js';
import { lockHolder } from '../runs/run-lock.js';
import { rungsOf } from '../runs/rungs.js';
import { ACCURACY, measuredValue, measureOf } from '../tasks/measure.js';
import { readSupernetSummary } from './run-supernet.js';
import { openTerminal } from './terminal.js';

export function addStatus(program: Command): void {
  program
    .command('status')
    .description('how far a search or an evaluation is')
    .argument('<folder>', 'run folder')
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (path: string, { json }: { json: boolean }) => {
      const terminal = openTerminal(json);
      if (isEvaluation(path)) {
        const { settings, outcomes, picked, finished } = readEvaluation(path);
        const running = lockHolder(path);
        const status = finished ? 'finished' : running === undefined ? 'stopped' : 'running';
        const done = (event: string) => outcomes.filter((one) => one.event === event).length;
        const methods = settings.methods.map(({ name }) => name);
        const stages = { searched: done('searched'), trained: done('trained'), tested: done('tested') };
        terminal.json({
          run: path,
          status,
          pid: running?.pid ?? null,
          methods,
          ...stages,
          picked: Object.fromEntries(picked),
        });
        terminal.result(
          `${path}: evaluation of ${methods.join(', ')}, ${status}: ${stages.searched} searched, ` +
            `${stages.trained} trained to pick, ${stages.tested} tested`,
        );
        return;
      }
      if (isSupernetRun(path)) {
        const running = lockHolder(path);
        const summary = await readSupernetSummary(path);
        const status =
          summary.status === 'finished' ? 'finished' : running === undefined ? 'stopped' : 'running';
        terminal.json({ ...summary, status, pid: running?.pid ?? null });
        terminal.result(`${path}: ${summary.strategy}, ${status}: ${summary.epochs} epochs done`);
        return;
      }
      const { state, settings, torn } = await readRun(path);
      const average = recentAverage(state);
      const baseline = state.updates.at(-1)?.baseline;
      const holder = lockHolder(path);
      const rungs = rungsOf(state);
      const status = {
        run: path,
        status: state.finished ? 'finished' : holder === undefined ? 'stopped' : 'running',
        pid: holder?.pid ?? null,
        space: settings.space,
        strategy: settings.strategy,
        data: settings.task.data,
        trials: state.header.trials,
        children: state.children,
        rungs,
        told: state.told,
        done: state.done,
        failed: state.failed,
        outstanding: state.outstanding.map(({ trial }) => trial),
        best: state.best,
        recentAverage: average ?? null,
        rewardBaseline: typeof baseline === 'number' ? baseline : null,
        failures: state.failures,
        tornLastLine: torn,
      };
      terminal.json(status);
      const textOf = (value: number) =>
        valueText(state.best === null ? ACCURACY : measureOf(state.best), value);
      const best =
        state.best === null
          ? ''
          : `, best ${textOf(measuredValue(state.best))} (${childName(state, state.best.trial)})`;
      terminal.result(
        `${path}: ${settings.strategy} on ${settings.space} with ${settings.task.data}, ${status.status}: ` +
          `${state.told} of ${status.trials} ${countedIn(state)}, ${state.failed} failed${best}`,
      );
      for (const rung of rungs)
        terminal.result(
          `  ${rung.epochs} ${rung.epochs === 1 ? 'epoch' : 'epochs'}: ${rung.told} of ${rung.asked} children trained, ` +
            `${rung.promoted} went on${rung.best === null ? '' : `, best ${textOf(rung.best)}`}`,
        );
      for (const { trial, reason } of state.failures)
        terminal.result(`  ${childName(state, trial)} failed: ${reason}`);
    });
}
