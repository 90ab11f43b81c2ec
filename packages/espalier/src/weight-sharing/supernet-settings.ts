import type { z } from 'zod';
import { InputError } from '../input-error.js';
import type { AnyTaskDefinition, TaskSupernet } from '../tasks/task-definition.js';

/** What the training of every supernet has. The supernet options of a task are these and the options of its loss. */
export interface SupernetSettings {
  readonly epochs: number;
  readonly batchSize: number;
  /** Of the weights w at the start, and at the end of a half cosine that falls from epoch to epoch. */
  readonly learningRate: number;
  readonly finalLearningRate: number;
  readonly momentum: number;
  /** Whether the momentum is Nesterov's; false by default. */
  readonly nesterov?: boolean;
  readonly weightDecay: number;
  /** The largest norm of the gradient of the weights. */
  readonly clip: number;
  readonly device: string;
}

/** What a task says of supernets. @throws InputError where it says nothing */
export function supernetOf({ name, supernet }: AnyTaskDefinition): TaskSupernet {
  if (supernet === undefined)
    throw new InputError(
      `task ${name} has no options of a supernet: no strategy with shared weights serves it`,
    );
  return supernet;
}

/** Options of a task's supernet. */
export function supernetOptions(task: AnyTaskDefinition): z.ZodRawShape {
  return supernetOf(task).options;
}
