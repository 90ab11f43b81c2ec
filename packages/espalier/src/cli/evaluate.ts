import type { Command } from 'commander';
import { dataForms } from '../data/open-data.js';
import { planEvaluation } from '../experiments/evaluation-plan.js';
import { beginEvaluation } from '../experiments/evaluation-run.js';
import { trainingOptions } from '../experiments/opened-training.js';
import { InputError } from '../input-error.js';
import { freeFolder } from './free-folder.js';
import { wholeNumber } from './options.js';
import { runEvaluation } from './run-again.js';
import { describeEvaluation, plainEvaluation } from './run-evaluation.js';
import { taskOf } from './task-flags.js';
import { openTerminal } from './terminal.js';
import { addTrainingFlags, type TrainingFlags, trainingOf } from './training-flags.js';

interface EvaluateFlags extends TrainingFlags {
  readonly data?: string;
  readonly out?: string;
  readonly seed: number;
  readonly seeds?: number;
  readonly testSeeds: number;
  readonly epochs2?: number;
  readonly validation?: number;
  readonly json: boolean;
}

/** Li & Talwalkar test with 10 seeds, and train for 100 epochs of 600 before. */
const TEST_SEEDS = 10;
const SHORTER = 6;

export function addEvaluate(program: Command): void {
  addTrainingFlags(program.command('evaluate'))
    .description(
      'the staged protocol of Li & Talwalkar 2019: search with several seeds, pick after a short training, test over many seeds',
    )
    .argument(
      '<run|architecture...>',
      'folders of searches (with the same settings but for the seed: one method), architecture files or published names',
    )
    .option('--data <kind:path>', `${dataForms.join(', ')} (default: that of the searches)`)
    .option('--out <folder>', 'a new folder for the evaluation and its runs (default: runs/evaluation)')
    .option(
      '--seeds <n>',
      'stage 1: searches of each method; those that are not given are done, with other seeds',
      wholeNumber(1),
    )
    .option(
      '--epochs-2 <n>',
      `stage 2: epochs of a training that picks (default: a sixth of those of stage 3)`,
      wholeNumber(1),
    )
    .option(
      '--validation <n>',
      'stage 2: training images held out (default: a tenth), or first tokens of validation and test text',
      wholeNumber(1),
    )
    .option('--test-seeds <n>', 'stage 3: trainings of each pick', wholeNumber(1), TEST_SEEDS)
    .option('--seed <n>', 'of the trainings of stage 2, and the first of stage 3', wholeNumber(0), 1)
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(evaluate);
}

async function evaluate(paths: string[], flags: EvaluateFlags): Promise<void> {
  const { seed, testSeeds, threads, json } = flags;
  const terminal = openTerminal(json);
  const plan = await planEvaluation(paths, flags.seeds, (space) => {
    const { spaceOptions, training } = trainingOf(space, flags);
    const epochs = Number(training.epochs ?? trainingOptions(space.definition).shape.epochs.parse(undefined));
    return { spaceOptions, training, epochs, epochs2: flags.epochs2 ?? Math.ceil(epochs / SHORTER) };
  });
  const searched = flags.data === undefined ? plan.data : { data: flags.data };
  if (searched === undefined)
    throw new InputError('--data is missing: no search is among the arguments that would say it');
  const out = flags.out ?? freeFolder('runs/evaluation');
  await beginEvaluation(out, {
    methods: [...plan.methods],
    task: taskOf({ ...searched, ...flags, data: searched.data }),
    seed,
    testSeeds,
    threads,
  });
  const summary = await runEvaluation(out, terminal);
  terminal.result(describeEvaluation(summary));
  terminal.json(plainEvaluation(summary));
}
