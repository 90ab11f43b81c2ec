import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { training as trainingEstimator } from '../estimators/training.js';
import type { ExperimentRequest } from '../experiments/experiment.js';
import { bestOf, readRun } from '../experiments/found-architecture.js';
import { beginTraining } from '../experiments/training-run.js';
import { searchIn } from '../kinds/search.js';
import { type TrainingSummary, training as trainingKind } from '../kinds/training.js';
import { bestSearch, meanValue, type NamedRun, reportComparison } from '../reports/comparison-report.js';
import { duration, percent } from '../reports/figures.js';
import { replaceFile } from '../runs/atomic-file.js';
import { zophCnn } from '../spaces/zoph-cnn.js';
import { reinforce } from '../strategies/reinforce.js';
import { imageClassification } from '../tasks/image-classification/definition.js';
import { openTerminal, type Terminal } from '../terminal/terminal.js';
import { freeFolder } from './free-folder.js';
import { wholeNumber } from './options.js';

const DATA = 'mnist';
const CHILD_IMAGES = 2500;
const CHILD_VALIDATION = 500;
const FINAL_EPOCHS = 10;

export function addDemo(program: Command): void {
  program
    .command('demo')
    .description(
      'a first search: the controller of Zoph & Le 2016 on MNIST, compared with random search, in a few minutes',
    )
    .option('--trials <n>', 'children of each search', wholeNumber(1), 24)
    .option('--seed <n>', 'seed of everything random', wholeNumber(0), 1)
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
    if (!(await search(path, requestOf(strategy, trials, seed), terminal))) return;
    searches.push({ name: strategy, run: await readRun(path) });
  }
  const best = bestSearch(searches);
  const training = join(folder, 'trained');
  terminal.line(
    `\nThe best network of the two, found by ${best.name}, trained on for ${FINAL_EPOCHS} epochs on all training digits`,
  );
  await beginTraining(training, bestOf(best.run, best.run.folder.path), {
    task: { name: imageClassification.name, data: DATA, seed },
    training: { epochs: FINAL_EPOCHS, batchSize: 32, schedule: 'cosine' },
    seed,
    threads: 1,
  });
  const trained = await trainingKind.goOn(training, terminal);
  if (!trained.finished) {
    terminal.line(trained.text);
    return;
  }
  const testAccuracy = (trained.json as TrainingSummary).measures?.accuracy as number;
  const seconds = (performance.now() - begun) / 1000;
  const report = join(folder, 'report.html');
  replaceFile(
    report,
    await reportComparison('A first search: MNIST', searches, [
      ['test accuracy', percent(testAccuracy)],
      ['children of each search', String(trials)],
      ['time', duration(seconds)],
    ]),
  );
  terminal.result('');
  for (const one of searches)
    terminal.result(
      `${one.name.padEnd(10)} best child ${percent(one.run.state.best?.value ?? 0)}, mean of ${one.run.state.done} children ${percent(meanValue(one))}`,
    );
  terminal.result(
    `test accuracy of the best network (found by ${best.name}), trained on: ${percent(testAccuracy)}`,
  );
  terminal.result(`done in ${duration(seconds)}; report: ${report}`);
  terminal.json({
    report,
    testAccuracy,
    seconds,
    trained: best.name,
    searches: searches.map((one) => ({
      strategy: one.name,
      run: one.run.folder.path,
      best: one.run.state.best,
      meanAccuracy: meanValue(one),
    })),
  });
}

/** Runs one of the two searches; false where it was stopped. */
async function search(path: string, request: ExperimentRequest, terminal: Terminal): Promise<boolean> {
  const { finished } = await searchIn(path, request, terminal);
  if (!finished) terminal.line(`to go on: espalier resume ${path}`);
  return finished;
}

function requestOf(strategy: 'reinforce' | 'random', trials: number, seed: number): ExperimentRequest {
  return {
    space: zophCnn.name,
    spaceOptions: { ...zophCnn.small } as ExperimentRequest['spaceOptions'],
    strategy,
    strategyOptions: strategy === 'reinforce' ? { ...reinforce.small } : {},
    estimator: trainingEstimator.name,
    estimatorOptions: {
      task: {
        name: imageClassification.name,
        data: DATA,
        limit: CHILD_IMAGES,
        validation: CHILD_VALIDATION,
        seed,
      },
      training: { epochs: 2, batchSize: 16, schedule: 'cosine' },
      threads: 1,
    },
    // A demonstration prints the same numbers each time.
    order: 'virtual',
    seed,
    trials,
    workers: availableParallelism(),
  };
}
