import { existsSync, readFileSync } from 'node:fs';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { trainingFiles } from '../training/final-training.js';
import { type OpenedTraining, openTraining } from '../training/opened-training.js';
import { type FoundArchitecture, parseArchitecture } from './found-architecture.js';
import { dataOf } from './held-out-data.js';
import { openedNow, type RunPlace, taskNow } from './places.js';
import { checksumOfSignature, signatureFile } from './signature-file.js';
import { readTraining } from './training-run-settings.js';

/** A network with its weights, and everything that using it takes. */
export interface TrainedArchitecture {
  readonly found: FoundArchitecture;
  /** Path of the weights; undefined for an architecture that was not trained. */
  readonly weights: string | undefined;
  /** See `OpenedData.signature`; undefined for an architecture that was not trained here. */
  readonly signature: Readonly<Record<string, Json>> | undefined;
}

/** A trained architecture with its data open. */
interface OpenedTrained extends FoundArchitecture {
  /** `place`: the data, from the working folder. */
  readonly opened: OpenedTraining & { readonly place: string };
  /** Path of the weights. */
  readonly weights: string;
  readonly signature: TrainedArchitecture['signature'];
}

/**
 * A finished training with its data open, to evaluate its network again.
 *
 * @param change data to take instead of the training's, from the working folder, and options that are other than there
 * @throws InputError before its end, and for data and options that are wrong
 */
export async function openTrained(
  path: string,
  change: {
    readonly data?: string | undefined;
    readonly options: Readonly<Record<string, Json>>;
  },
): Promise<OpenedTrained> {
  const { found, weights, signature } = await trainedNetwork(path);
  const { settings, from } = readTraining(path);
  const place: RunPlace = { run: path, from, use: 'read', data: change.data };
  const task = taskNow(settings.task, place);
  const training = { ...settings.training, ...change.options };
  const opened = await openedNow(task, place, async () =>
    openTraining(await dataOf(task, { training }), training),
  );
  return { opened: { ...opened, place: task.data }, ...found, weights: weights as string, signature };
}

/** The architecture of a training, the weights that it has come to, and its signature. @throws InputError before its end */
export async function trainedNetwork(path: string): Promise<TrainedArchitecture> {
  const { weights } = trainingFiles(path);
  const found = await trainedArchitecture(path);
  if (!existsSync(weights))
    throw new InputError(`${path}: the training is not finished, so there are no weights yet`);
  return { found, weights, signature: readSignature(path) };
}

/** The architecture that a training trains. */
export async function trainedArchitecture(path: string): Promise<FoundArchitecture> {
  const { settings, from, journal } = readTraining(path);
  const place: RunPlace = { run: path, from, use: 'read' };
  const found = await parseArchitecture(settings.architecture, journal, from, place);
  return {
    ...found,
    task: taskNow(settings.task, place),
    input: settings.input,
    training: {
      options: settings.training,
      sharesWeights: false,
      dataChecksum: settings.dataChecksum,
    },
  };
}

/** What using the network of a training takes besides its weights. @throws InputError where it cannot be read */
export function readSignature(path: string): Record<string, Json> {
  const file = signatureFile(path);
  const { settings } = readTraining(path);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError(
      `${file}: what the network was trained on cannot be read: ${(error as Error).message}`,
    );
  }
  if (checksumOfSignature(text) !== settings.signature)
    throw new InputError(`${file}: not the file that the training wrote: its checksum is another`);
  return JSON.parse(text) as Record<string, Json>;
}
