import { existsSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { configured, type FoundArchitecture } from '../experiments/found-architecture.js';
import { joinFromMachine, PEER_TIMEOUT_SECONDS, type ProcessesSettings } from '../experiments/processes.js';
import type { GivenWeights } from '../experiments/starting-weights.js';
import { beginTraining, prepareTraining } from '../experiments/training-run.js';
import { readTraining, type TrainingRequest } from '../experiments/training-run-settings.js';
import { InputError } from '../input-error.js';
import { findArchitecture, findNetwork } from '../kinds/kinds-of-run.js';
import { training as trainingKind } from '../kinds/training.js';
import { openTerminal } from '../terminal/terminal.js';
import { followTraining } from '../training/follow-training.js';
import { addChildFlag, type ChildFlag } from './child-flag.js';
import { dataFor } from './data-of-run.js';
import { addEpochFlag, type EpochFlag, sayWhichGenotype } from './epoch-flag.js';
import { wholeNumber } from './options.js';
import { addPeerFlags, meetingOf, type PeerFlags } from './peer-flags.js';
import { refuseFlags } from './refuse-flags.js';
import { say } from './say.js';
import { dataForms, taskFor, taskSettingsOf } from './task-flags.js';
import { addTrainingFlags, differencesFrom, type TrainingFlags, trainingOf } from './training-flags.js';

interface TrainFlags extends TrainingFlags, EpochFlag, ChildFlag, PeerFlags {
  readonly weights?: string;
  readonly newClassifier: boolean;
  readonly validation?: number;
  readonly data?: string;
  readonly out?: string;
  readonly processes?: number;
  readonly rank?: number;
  readonly syncBatchNorm: boolean;
  readonly seed: number;
  readonly json: boolean;
}

export function addTrain(program: Command): void {
  addPeerFlags(addChildFlag(addEpochFlag(addTrainingFlags(program.command('train')))))
    .description('train an architecture to the end and test it')
    .argument(
      '<run|architecture>',
      'a run folder (its best architecture), an architecture file or a published name',
    )
    .option('--data <kind:path>', `${dataForms} (default: that of the run)`)
    .option(
      '--out <folder>',
      'a new folder for the journal, the checkpoint and the weights; not with --rank 1 and above',
    )
    .option(
      '--processes <n>',
      'train with so many processes, each of which reads its part of every batch; --threads are those of each',
      wholeNumber(2),
    )
    .option(
      '--rank <n>',
      'with --address: which of the processes this is; 0, the default, journals, and the others follow it',
      wholeNumber(0),
    )
    .option('--no-sync-batch-norm', 'with --processes: batch norms normalise by the parts of the batches')
    .option(
      '--weights <file|run>',
      'weights to begin with: safetensors, or the folder of a finished training (default: initialised by the seed)',
    )
    .option(
      '--new-classifier',
      'with --weights: begin the layers anew that depend on the number of classes',
      false,
    )
    .option(
      '--validation <n>',
      'with --set keepBest=true: training inputs held out to choose the best epoch (default: a tenth); of a text the first ' +
        'tokens of validation and test text',
      wholeNumber(1),
    )
    .option('--seed <n>', 'seed of everything random', wholeNumber(0), 1)
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (path: string, flags: TrainFlags, command: Command) => {
      const { out, seed, json, rank = 0 } = flags;
      const terminal = openTerminal(json);
      const processes = processesOf(flags);
      const { count = 1 } = processes ?? {};
      const isGiven = command.getOptionValueSource('threads') !== 'default';
      // By default the processes of one machine share its processors.
      const shared = isGiven || flags.address !== undefined ? 1 : count;
      const threads = Math.max(1, Math.floor(flags.threads / shared));
      const found = await findArchitecture(path, flags);
      sayWhichGenotype(found, terminal);
      const task = await taskFor(found, flags.task, flags.data);
      const start = await startOf(flags);
      const { spaceOptions, training, imageSize } = trainingOf(found, task.definition, flags);
      const request: TrainingRequest = {
        task: taskSettingsOf(task, { ...flags, ...dataFor(path, found, flags, imageSize) }),
        training,
        ...(start === undefined ? {} : { start }),
        seed,
        threads,
        ...(processes === undefined ? {} : { processes }),
      };
      const meeting = meetingOf(flags);
      if (rank > 0 && processes !== undefined && flags.address !== undefined) {
        const prepared = await prepareTraining(configured(found, spaceOptions), request);
        const { timeoutSeconds = PEER_TIMEOUT_SECONDS } = meeting ?? {};
        await joinFromMachine(
          { processes, rank, timeoutSeconds, device: prepared.settings.device },
          flags.address,
          (peers) => followTraining(prepared, peers),
        );
        terminal.line('the training is done; the first process has it');
        return;
      }
      if (out === undefined) throw new InputError('--out: a new folder is needed');
      await beginTraining(out, configured(found, spaceOptions), request);
      const differences = differencesOf(found, out);
      if (differences.length > 0)
        terminal.line(`note: otherwise than in ${path} (its value in brackets): ${differences.join(', ')}`);
      say(await trainingKind.goOn(out, terminal, { meeting }), terminal);
    });
}

/** The processes that the flags ask for. @throws InputError for flags that do not fit together */
function processesOf(flags: TrainFlags): ProcessesSettings | undefined {
  const { processes, rank, address, out, syncBatchNorm } = flags;
  if (processes === undefined) {
    refuseFlags({ ...flags, noSyncBatchNorm: !syncBatchNorm }, PEERS_ONLY, 'one process trains alone');
    return undefined;
  }
  if (address === undefined) refuseFlags(flags, ['rank'], 'without --address this process starts the others');
  if (rank !== undefined && rank >= processes)
    throw new InputError(`--rank ${rank}: allowed: 0 to ${processes - 1}, with --processes ${processes}`);
  if (rank !== undefined && rank > 0 && out !== undefined)
    throw new InputError(`--out ${out}: only the process with --rank 0 writes a run`);
  return { count: processes, syncBatchNorm };
}

const PEERS_ONLY = ['rank', 'address', 'peerTimeout', 'noSyncBatchNorm'] as const;

/** The weights that the flags name. @throws InputError for a folder without weights */
async function startOf({ weights, newClassifier }: TrainFlags): Promise<GivenWeights | undefined> {
  if (weights === undefined) {
    refuseFlags({ newClassifier }, ['newClassifier'], 'without --weights all layers begin anew');
    return undefined;
  }
  const isFolder = existsSync(weights) && statSync(weights).isDirectory();
  const file = isFolder ? (await findNetwork(weights)).weights : weights;
  if (file === undefined)
    throw new InputError(`--weights ${weights}: this run has no weights; allowed: a training`);
  return { from: weights, file, newClassifier };
}

/** How a begun training differs from the run that its architecture comes from. */
function differencesOf({ task, training: searched }: FoundArchitecture, out: string): string[] {
  if (task === undefined || searched === undefined) return [];
  const { settings } = readTraining(out);
  const { limit, imageSize, level = 'word' } = settings.task;
  return [
    ...(settings.dataChecksum === searched.dataChecksum ? [] : [`other data, ${settings.task.data}`]),
    ...differencesFrom(
      { limit: task.limit, imageSize: task.imageSize, level: task.level ?? 'word' },
      { limit, imageSize, level },
    ),
    ...differencesFrom(searched.options, settings.training),
  ];
}
