import { scope, setThreads } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { Objectives } from '../measures/measure.js';
import { loadWeights, readWeights } from '../prediction/weights.js';
import { type Evaluation, evaluateInDetail } from '../tasks/task.js';
import { initialised } from '../training/train-child.js';
import { openTrained } from './trained-network.js';

/** What is other than in the training. */
export interface TrainedEvaluationRequest {
  /** `kind:path` from the working folder, if not the data of the training. */
  readonly data?: string | undefined;
  /** Options of the training that an evaluation depends on: `evalScales`, `batchSize`. */
  readonly options: Readonly<Record<string, Json>>;
  readonly threads: number;
}

/** What a trained network comes to on test data. */
export interface TrainedEvaluation extends Evaluation {
  readonly objectives: Objectives;
  readonly data: string;
  /** Names of the classes, where it tells classes apart. */
  readonly classes: readonly string[];
}

/**
 * Evaluates the network of a finished training on the test data again: on other data of the same classes, or otherwise, at
 * several scales. Nothing is written.
 *
 * @throws InputError for a training that is not finished, for wrong options, and for data with other classes or another
 *   normalisation
 */
export async function evaluateTrained(
  path: string,
  { data, options, threads }: TrainedEvaluationRequest,
): Promise<TrainedEvaluation> {
  const { opened, space, architecture, weights, signature } = await openTrained(path, { data, options });
  const { task, settings, build, definition } = opened;
  const now = JSON.stringify(opened.data.signature);
  if (now !== JSON.stringify(signature))
    throw new InputError(
      `--data ${data}: its classes or its normalisation are others than those that ${path} was trained with`,
    );
  setThreads(threads);
  const network = initialised(() => build(space, architecture), 0, settings.device);
  try {
    scope(() => loadWeights(network, readWeights(weights), weights));
    network.eval();
    const evaluation = evaluateInDetail(task, network, 'test', { size: settings.batchSize });
    const { classes } = opened.data.signature;
    return {
      ...evaluation,
      objectives: definition.measures,
      data: opened.place,
      classes: Array.isArray(classes) ? classes.map(String) : [],
    };
  } finally {
    network.free();
  }
}
