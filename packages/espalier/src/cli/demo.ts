import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type ExperimentRequest, headerOf, prepareExperiment } from '../experiments/experiment.js';
import { bestOf, readRun } from '../experiments/found-architecture.js';
import { beginTraining } from '../experiments/training-run.js';
import { bestSearch, meanAccuracy, type NamedRun, reportComparison } from '../reports/comparison-report.js';
import { duration, percent } from '../reports/figures.js';
import { RunFolder } from '../runs/run-folder.js';
import { zophCnn } from '../spaces/zoph-cnn.js';
import { reinforce } from '../strategies/reinforce.js';
import { trainingSettings } from '../training/training-settings.js';
import { freeFolder } from './free-folder.js';
import { wholeNumber } from './options.js';
import { runToEnd } from './run-search.js';
import { describeTraining, runTraining } from './run-training.js';
import { openTerminal, type Terminal } from './terminal.js';

const DATA = 'mnist';
const CHILD_IMAGES = 2500;
const CHILD_VALIDATION = 500;
const FINAL_EPOCHS = 10;

export function addDemo(program: Command): void {
  program
    .command('demo')
    .description(
      'a first search: the controller of Zoph & Le 2016 on MNIST, against random search, in a few minutes',
    )
    .option('--trials <n>', 'children of each search', wholeNumber(1), 24)
    .option('--seed <n>', 'of everything random', wholeNumber(0), 1)
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(demo);
}

async function demo({ trials, seed, json }: { trials: number; seed: number; json: boolean }): Promise<void> {
  const terminal = openTerminal(json);
  const begun = performance.now();
  const folder = freeFolder(join('runs', 'demo'));
  const searches: NamedRun[] = [];
  for (const [strategy, what] of [
    ['reinforce', 'The controller of Zoph & Le 2016'],
    ['random', 'Random search'],
  ] as const) {
    terminal.line(`\n${what}: ${trials} children on ${CHILD_IMAGES} digits`);
    const path = join(folder, strategy);
    if (!(await searchIn(path, requestOf(strategy, trials, seed), terminal))) return;
    searches.push({ name: strategy, run: await readRun(path) });
  }
  const best = bestSearch(searches);
  const training = join(folder, 'trained');
  terminal.line(
    `\nThe best network of the two, found by ${best.name}, trained on for ${FINAL_EPOCHS} epochs on all training digits`,
  );
  beginTraining(training, bestOf(best.run, best.run.folder.path), {
    task: { data: DATA, seed },
    training: trainingSettings.parse({ epochs: FINAL_EPOCHS, batchSize: 32, schedule: 'cosine' }),
    seed,
    threads: 1,
  });
  const trained = await runTraining(training, terminal);
  if (trained.testAccuracy === undefined) {
    terminal.line(describeTraining(trained));
    return;
  }
  const seconds = (performance.now() - begun) / 1000;
  const report = join(folder, 'report.html');
  writeFileSync(
    report,
    reportComparison('A first search: MNIST', searches, { channels: 1, height: 28, width: 28, classes: 10 }, [
      ['test accuracy', percent(trained.testAccuracy)],
      ['children of each search', String(trials)],
      ['time', duration(seconds)],
    ]),
  );
  terminal.result('');
  for (const one of searches)
    terminal.result(
      `${one.name.padEnd(10)} best child ${percent(one.run.state.best?.accuracy ?? 0)}, mean of ${one.run.state.done} children ${percent(meanAccuracy(one))}`,
    );
  terminal.result(
    `test accuracy of the best network (found by ${best.name}), trained on: ${percent(trained.testAccuracy)}`,
  );
  terminal.result(`done in ${duration(seconds)}; report: ${report}`);
  terminal.json({
    report,
    testAccuracy: trained.testAccuracy,
    seconds,
    trained: best.name,
    searches: searches.map((one) => ({
      strategy: one.name,
      run: one.run.folder.path,
      best: one.run.state.best,
      meanAccuracy: meanAccuracy(one),
    })),
  });
}

/** Runs one of the two searches; false where it was stopped. */
async function searchIn(path: string, request: ExperimentRequest, terminal: Terminal): Promise<boolean> {
  const experiment = await prepareExperiment(request, process.cwd());
  const summary = await runToEnd(experiment, RunFolder.create(path, headerOf(experiment.settings)), terminal);
  if (summary.status !== 'finished') terminal.line(`go on with: espalier resume ${path}`);
  return summary.status === 'finished';
}

function requestOf(strategy: 'reinforce' | 'random', trials: number, seed: number): ExperimentRequest {
  return {
    space: zophCnn.name,
    spaceOptions: { ...zophCnn.small } as ExperimentRequest['spaceOptions'],
    strategy,
    strategyOptions: strategy === 'reinforce' ? { ...reinforce.small } : {},
    task: { data: DATA, limit: CHILD_IMAGES, validation: CHILD_VALIDATION, seed },
    training: trainingSettings.parse({ epochs: 2, batchSize: 16, schedule: 'cosine' }),
    seed,
    trials,
    workers: availableParallelism(),
    threads: 1,
  };
}
