import { existsSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import type { z } from 'zod';
import { planEvaluation } from '../experiments/evaluation-plan.js';
import { beginEvaluation } from '../experiments/evaluation-run.js';
import type { FoundArchitecture } from '../experiments/found-architecture.js';
import { InputError } from '../input-error.js';
import { findArchitecture, kindOf, runs } from '../kinds/kinds-of-run.js';
import { openTerminal, type Terminal } from '../terminal/terminal.js';
import { addEpochFlag, type EpochFlag, sayWhichGenotype } from './epoch-flag.js';
import { freeFolder } from './free-folder.js';
import { wholeNumber } from './options.js';
import { say } from './say.js';
import { dataForms, taskFor, taskSettingsOf } from './task-flags.js';
import { addTrainingFlags, type TrainingFlags, trainingOf } from './training-flags.js';

interface EvaluateFlags extends TrainingFlags, EpochFlag {
  readonly data?: string;
  readonly out?: string;
  readonly seed: number;
  readonly seeds?: number;
  readonly top?: number;
  readonly testSeeds: number;
  readonly epochs2?: number;
  readonly validation?: number;
  readonly json: boolean;
}

/** Li & Talwalkar test with 10 seeds, and train for 100 epochs of 600 before. */
const TEST_SEEDS = 10;
const SHORTER = 6;

export function addEvaluate(program: Command): void {
  addEpochFlag(addTrainingFlags(program.command('evaluate')))
    .description(
      'the staged protocol of Li & Talwalkar 2019: search with several seeds, pick after a short training, test over many seeds',
    )
    .argument(
      '<run|architecture...>',
      'folders of searches (with the same settings but for the seed: one method), architecture files or published names',
    )
    .option('--data <kind:path>', `${dataForms} (default: that of the searches)`)
    .option('--out <folder>', 'a new folder for the evaluation and its runs (default: runs/evaluation)')
    .option(
      '--seeds <n>',
      'stage 1: searches of each method; those that are not given are done, with other seeds',
      wholeNumber(1),
    )
    .option(
      '--top <n>',
      'candidates of each search: its best children, which stage 2 ranks again (default: the best one)',
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

/** Reads each architecture once; of the files those of the epoch. @throws InputError where an epoch is of no file */
function readingOf(
  paths: readonly string[],
  epoch: number | undefined,
  terminal: Terminal,
): (path: string) => Promise<FoundArchitecture> {
  const isText = (path: string) => existsSync(path) && statSync(path).isFile();
  if (epoch !== undefined && !paths.some(isText))
    throw new InputError(`--epoch ${epoch}: none of the arguments is a log with genotypes`);
  const read = new Map<string, Promise<FoundArchitecture>>();
  const readNow = async (path: string) => {
    const found = await findArchitecture(path, isText(path) ? { epoch } : {});
    sayWhichGenotype(found, terminal);
    return found;
  };
  return (path) => {
    const found = read.get(path) ?? readNow(path);
    read.set(path, found);
    return found;
  };
}

async function evaluate(paths: string[], flags: EvaluateFlags): Promise<void> {
  const { seed, testSeeds, threads, json } = flags;
  const terminal = openTerminal(json);
  const found = readingOf(paths, flags.epoch, terminal);
  const plan = await planEvaluation(
    paths,
    { seeds: flags.seeds, top: flags.top },
    async (architecture) => {
      const { definition } = await taskFor(architecture, flags.task, flags.data);
      // Not as each search trained: what is compared is trained alike.
      const { training: _, ...untrained } = architecture;
      const { spaceOptions, training } = trainingOf(untrained, definition, flags);
      const { epochs: usual } = definition.training.options.shape;
      const epochs = Number(training.epochs ?? (usual as z.ZodType).parse(undefined));
      return { spaceOptions, training, epochs, epochs2: flags.epochs2 ?? Math.ceil(epochs / SHORTER) };
    },
    { ...runs, findArchitecture: found },
  );
  const [path] = paths as [string];
  const { data = plan.data?.data, level = plan.data?.level } = flags;
  if (data === undefined)
    throw new InputError('--data is missing: none of the arguments is a search that would say it');
  const task = await taskFor(await found(path), flags.task ?? plan.data?.name, data);
  const out = flags.out ?? freeFolder('runs/evaluation');
  await beginEvaluation(out, {
    methods: [...plan.methods],
    task: taskSettingsOf(task, { ...(flags.data === undefined ? plan.data : {}), ...flags, data, level }),
    seed,
    testSeeds,
    threads,
  });
  say(await kindOf(out).goOn(out, terminal), terminal);
}
