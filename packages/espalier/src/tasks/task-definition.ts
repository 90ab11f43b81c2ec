import type { nn } from '@espalier/torch';
import type { z } from 'zod';
import type { Json } from '../json.js';
import type { Objectives } from '../measures/measure.js';
import type { NetworkKind } from '../network-kinds/network-kind.js';
import type { Space } from '../space/space.js';
import type { Task } from './task.js';
import type { TaskSettings } from './task-settings.js';

/** Options of a training, or of the weights of a supernet, by name. */
export type TrainingOptions = Readonly<Record<string, Json>>;

/** The values that a grid search tries, by option: `training.learningRate`, `space.batchNormEpsilon`. */
export type Grid = Readonly<Record<string, readonly Json[]>>;

/** The settings of a published training: `--preset NAME`. */
export interface TrainingPreset {
  readonly training: TrainingOptions;
  /** Options of the space; those of flags go before them. */
  readonly space?: Readonly<Record<string, Json>>;
  /** Height and width of images, in pixels, where the data has them in any size. */
  readonly imageSize?: number;
}

/**
 * What a task has to say about the training of its networks.
 *
 * The schema holds the options of the optimiser (see `optimiserOptions`) and those of the task's own loss, each with a
 * default and a description.
 */
export interface TaskTraining {
  readonly options: z.ZodObject;
  /**
   * How the paper of a space trains what it has found: `--preset paper` of a training.
   *
   * @param data as `--data` has it, where it is known
   */
  paper(space: Space, data?: string): TrainingOptions;
  /** A training of minutes on a laptop: `--preset small`. */
  readonly small: TrainingOptions;
  /**
   * Further presets for a space, by name. One that is called like the level of a text is the default of texts at that level.
   *
   * @param given options of the space that flags set
   */
  presets?(space: Space, given: Readonly<Record<string, Json>>): Readonly<Record<string, TrainingPreset>>;
  /** How the paper of a space trains the children of a search, where that differs from the defaults. */
  child(space: Space): TrainingOptions;
  /** Children of seconds: `--preset small` of a search. */
  readonly smallChild: TrainingOptions;
  /**
   * The grid search after a search (Zoph & Le 2016, sections 4.1 and 4.2) over trainings of so many epochs: its grid, and the
   * options that all its trainings have instead of those of the preset. Missing: the user has to say the grid.
   */
  tuning?(space: Space, epochs: number): { readonly grid: Grid; readonly training: TrainingOptions };
  /** The height and width in which the paper of a space evaluates, in pixels, where it says so and the task has images. */
  paperImageSize?(space: Space): number | undefined;
  /** Options of the space that its paper changes for such a training; those of flags go before them. */
  paperSpaceOptions?(space: Space): Readonly<Record<string, Json>>;
  /** Names of options that say how training inputs are changed. Trainings take them over from searches of all kinds. */
  readonly augmentation?: readonly string[];
  /** Options of the space that follow from those of a training, such as whether there is an auxiliary head. */
  spaceOptions?(space: Space, training: TrainingOptions): Readonly<Record<string, Json>>;
}

/** What strategies with shared weights need to know of a task. */
export interface TaskSupernet {
  /** Options of the supernet's weights and of the loss: `epochs`, `batchSize`, `learningRate` and so on. */
  readonly options: z.ZodRawShape;
  /** Defaults of Adam on the architecture parameters (DARTS, section A.1). */
  readonly alpha: { readonly learningRate: number; readonly beta1: number };
}

/** How much of the data a run works on, and how. */
export interface OpenOptions {
  /** The share of the training data that is held out where the settings do not say how much. */
  readonly validationShare?: number;
}

/**
 * Data that is open.
 *
 * @typeParam Input what networks are built for
 */
export interface OpenedData<Input extends object, Model> {
  readonly input: Input;
  /** SHA-256 of the data. */
  checksum(): string;
  /**
   * What using a trained network takes besides its weights, as plain JSON: names of classes, normalisation, vocabulary.
   * A training keeps it beside the weights.
   */
  readonly signature: Readonly<Record<string, Json>>;
  /** What a person should know of the data: files that were passed over, a part that is small. */
  readonly notes?: readonly string[];
  /** The data with the loss that the options of a training, or of a supernet, describe. */
  task(options: TrainingOptions): Task<Model>;
  /**
   * Refuses a network, or a supernet, that this task cannot train with these options.
   *
   * @throws InputError that says what the network gives and what the task needs
   */
  requireTrainable(network: nn.Module, space: string, options: TrainingOptions): void;
}

/** What a network makes of a file, for people and for programs. */
export interface PredictionReport {
  /** One JSON value. */
  readonly json: Readonly<Record<string, unknown>>;
  /** Lines for people. */
  readonly lines: readonly string[];
  /** Lines about how the file was read. */
  readonly notes?: readonly string[];
  /** What is written, where the flags ask for it. */
  readonly files?: readonly WrittenFile[];
}

/** A file that a prediction is written to. */
export interface WrittenFile {
  readonly path: string;
  /** `mask` */
  readonly holds: string;
  readonly bytes: Uint8Array;
}

/** What a prediction is made from. */
export interface PredictionRequest<Input, Model> {
  readonly network: Model;
  readonly input: Input;
  readonly space: Space;
  /** Path of the file. */
  readonly file: string;
  /** What the training kept beside the weights; undefined for weights that came from elsewhere. */
  readonly signature: Readonly<Record<string, Json>> | undefined;
  /** Flags of the command that only some tasks know, by name: `mean`, `std`. */
  readonly flags: Readonly<Record<string, unknown>>;
}

/**
 * A task: what networks read and give, how its data is opened, its loss, and its measures. Everything that depends on
 * what networks are trained for is in one definition.
 *
 * @typeParam Input what networks are built for: `{ channels, height, width, classes }`
 * @typeParam Model how a network is called
 */
export interface TaskDefinition<Input extends object, Model extends object> {
  readonly name: string;
  /** What its networks read and give. */
  readonly networks: NetworkKind<Input, nn.Module & Model>;
  /** The first measure decides. Data may be judged by others: a run takes those of its `Task`. */
  readonly measures: Objectives;
  readonly training: TaskTraining;
  /** Missing: no strategy with shared weights serves this task. */
  readonly supernet?: TaskSupernet;
  /** How its data is written on the command line: `cifar10:DIR`. */
  readonly dataForms: readonly string[];
  /** Settings of the data that only some tasks know, and this one does, by their flags: `level`. */
  readonly dataFlags?: readonly string[];
  /**
   * Whether a training that only reports its test measures, once everything is decided, learns from the data that
   * searches hold out. False where the data comes with a validation part of its own.
   */
  readonly heldOut: boolean;
  /** @throws InputError for data that is missing or damaged, and for settings that do not fit it */
  open(
    settings: TaskSettings,
    options?: OpenOptions,
  ): OpenedData<Input, Model> | Promise<OpenedData<Input, Model>>;
  /** Flags of `espalier predict` that only some tasks know, and this one does: `mean`, `std`. */
  readonly predictFlags?: readonly string[];
  /** Applies a network to a file. @throws InputError for a file that does not fit the network */
  predict(request: PredictionRequest<Input, Model>): PredictionReport | Promise<PredictionReport>;
}

// biome-ignore lint/suspicious/noExplicitAny: a list of tasks does not know their inputs and models
export type AnyTaskDefinition = TaskDefinition<any, any>;

/** A definition as it is, with its types inferred: `export default defineTask({ name, networks, measures, ... })`. */
export function defineTask<Input extends object, Model extends object>(
  definition: TaskDefinition<Input, Model>,
): TaskDefinition<Input, Model> {
  return definition;
}
