/**
 * Espalier as a library. Everything that a search space, a strategy, an estimator, a task or a kind of data is written
 * with, and everything that runs them, is here; nothing else is needed. Files given to the command line
 * (`--space ./my-space.ts`) import from here too.
 *
 * docs/ has a chapter for each kind of part.
 */
import { provideLibrary } from './modules/library.js';

export {
  cat,
  manualSeed,
  nn,
  noGrad,
  ones,
  optim,
  scope,
  setThreads,
  stack,
  type Tensor,
  tensor,
  zeros,
} from '@espalier/torch';
/** The schema library that options are described with. */
export { z } from 'zod';
// Cells
export { CellGraph, type CellNode } from './cells/cell-graph.js';
export type { EdgeWeights } from './cells/edge-weights.js';
export { MixedOperation } from './cells/mixed-operation.js';
export { type CellEdge, type CellRunOptions, runCell } from './cells/run-cell.js';
export {
  type AroundMixtures,
  type LeavingWeights,
  type MixedEdge,
  runMixedCell,
} from './cells/run-mixed-cell.js';
// Tasks and data
export type { Augmentation } from './data/augmentation.js';
export type { ImageData, ImageSet, ImagesInFiles, ImagesInMemory } from './data/image-dataset.js';
export { openData, openTextData } from './data/open-data.js';
export type { TextData } from './data/text.js';
export type { TextLevel } from './data/text-level.js';
// Estimators
export {
  type AnyEstimatorDefinition,
  defineEstimator,
  type EstimationSource,
  type EstimatorDefinition,
  type EstimatorStart,
  type OpenedEstimator,
  type Trial,
} from './estimators/estimator-definition.js';
export { estimators } from './estimators/estimator-names.js';
export { findEstimator } from './estimators/find-estimator.js';
export { measureTrial } from './estimators/measure-trial.js';
export { type BenchState, readBench } from './experiments/bench.js';
export { beginBench, continueBench } from './experiments/bench-run.js';
// Running and reading
export {
  type Experiment,
  type ExperimentRequest,
  type ExperimentSettings,
  headerOf,
  prepareExperiment,
  prepareResume,
} from './experiments/experiment.js';
export { findStrategy } from './experiments/find-strategy.js';
export { bestOf, type FoundArchitecture, type ReadRun, readRun } from './experiments/found-architecture.js';
export { readSupernetRun } from './experiments/read-supernet-run.js';
export type { Budget, ResultMeasure, RunResult } from './experiments/run-result.js';
export { simulateSearch } from './experiments/simulated-search.js';
export { beginSupernetRun, continueSupernetRun } from './experiments/supernet-run.js';
export type { SupernetRunRequest } from './experiments/supernet-run-settings.js';
export { beginTraining, continueTraining } from './experiments/training-run.js';
export type { TrainingRequest } from './experiments/training-run-settings.js';
// Predicting and exporting
export { exportOnnx } from './export/onnx.js';
export { exportPytorch } from './export/pytorch.js';
export type { HostTensor } from './host-tensor.js';
export { hub } from './hub/hub.js';
export { InputError } from './input-error.js';
export type { Json } from './json.js';
export type { KindOfRun } from './kinds/kind-of-run.js';
export { findArchitecture, findNetwork, kindOf, resultOf } from './kinds/kinds-of-run.js';
export { type Accumulator, Means, type Sums, type Tally } from './measures/accumulator.js';
// Measures
export { accuracy } from './measures/accuracy.js';
export { bpc } from './measures/bpc.js';
export { Confusion, type ConfusionCounts } from './measures/confusion.js';
export { loss } from './measures/loss.js';
export { macs } from './measures/macs.js';
export {
  bestValue,
  goodness,
  isBetter,
  type Measure,
  type Measures,
  type Objectives,
} from './measures/measure.js';
export { measures } from './measures/measure-names.js';
export { params } from './measures/params.js';
export { perplexity } from './measures/perplexity.js';
export { importOnly } from './modules/trusted-files.js';
export { images } from './network-kinds/images.js';
export type { NetworkKind } from './network-kinds/network-kind.js';
export { type TensorKind, tensorKind } from './network-kinds/tensors.js';
export { tokens } from './network-kinds/tokens.js';
// Networks
export { asBackbone, Backbone, type FeatureMap } from './networks/backbone.js';
export { buildLanguageModel } from './networks/build-language-model.js';
export { buildNetwork } from './networks/build-network.js';
export { LanguageModel, type LanguageModelState, type LanguageModelStep } from './networks/language-model.js';
export { multiplyAdds } from './networks/multiply-adds.js';
export type { Network } from './networks/network.js';
export { classify } from './prediction/classify.js';
export { evaluationView, type View } from './prediction/evaluation-view.js';
export { readImage } from './prediction/image-file.js';
export { predictNextToken, type TokenPrediction } from './prediction/predict-next-token.js';
export type { Prediction } from './prediction/prediction.js';
export { hasAuxiliaryHead, loadWeights, readWeights } from './prediction/weights.js';
// Statistics and random numbers
export { deriveSeed, Random } from './random/random.js';
export { type CheckpointStore, FolderStore, openStore } from './runs/checkpoint-store.js';
export type { EstimateContext, Estimator, TrialRequest } from './runs/estimator.js';
export { readJournal } from './runs/journal.js';
export type { JournalEvent, ResultOrder, RunHeader } from './runs/journal-event.js';
export type { Failure, Measured, Outcome, Success } from './runs/outcome.js';
export { RunFolder } from './runs/run-folder.js';
export { type BestTrial, RunState, type TrialState } from './runs/run-state.js';
export { runSearch, type SearchEnd, type SearchNotice, type SearchOptions } from './runs/search.js';
export {
  type ArchitectureFile,
  fromArchitectureFile,
  toArchitectureFile,
} from './space/architecture-file.js';
// Spaces
export { checkSpace, type SpaceCheckOptions } from './space/check.js';
export type { Dialogue } from './space/dialogue.js';
export {
  type Anchor,
  type Answer,
  block,
  type ChoiceQuestion,
  choose,
  type Program,
  type Question,
  type SubsetQuestion,
  subset,
} from './space/language.js';
export { type OptionsSchema, resolveOptions } from './space/options.js';
export {
  type AnySpaceDefinition,
  defineSpace,
  type InputShape,
  Space,
  type SpaceDefinition,
  type TokenInput,
} from './space/space.js';
export { findSpace } from './spaces/find-space.js';
export { spaces } from './spaces/space-names.js';
export {
  differenceInterval,
  type Interval,
  meanInterval,
  pairedDifferenceInterval,
} from './statistics/bootstrap.js';
export { kendallTau } from './statistics/kendall-tau.js';
export { pairedTest } from './statistics/paired-test.js';
export type { PermutationTest } from './statistics/permutation-test.js';
export { type Summary, summaryOf } from './statistics/summary.js';
export { unpairedTest } from './statistics/unpaired-test.js';
// Strategies
export { createStrategy, GuardedStrategy, type StrategyRequest } from './strategies/guarded-strategy.js';
export {
  type AnyStrategyDefinition,
  type Asked,
  defineStrategy,
  type Plan,
  type Proposal,
  type Strategy,
  type StrategyDefinition,
  type StrategyEvent,
  type StrategySnapshot,
  type StrategyStart,
  type TrialOutcome,
  type TrialResult,
} from './strategies/strategy.js';
export { strategies } from './strategies/strategy-names.js';
export { Alphas, type Relaxation } from './supernets/alphas.js';
export { buildLanguageSupernet, buildSupernet } from './supernets/build-supernet.js';
export type { SkipConnections } from './supernets/skip-connections.js';
export type { DerivationRule, SharesWeights } from './supernets/supernet.js';
export { Table } from './tables/table.js';
export { findTask } from './tasks/find-task.js';
export { optimiserOptions } from './tasks/optimiser-options.js';
export { type Batch, Diverged, evaluate, type Part, type PassOptions, type Task } from './tasks/task.js';
export {
  type AnyTaskDefinition,
  defineTask,
  type OpenedData,
  type OpenOptions,
  type PredictionReport,
  type PredictionRequest,
  type TaskDefinition,
  type TaskSupernet,
  type TaskTraining,
  type TrainingOptions,
} from './tasks/task-definition.js';
export { tasks, usualTask } from './tasks/task-names.js';
export type { TaskSettings } from './tasks/task-settings.js';
// Training
export { NetworkTraining, type OptimiserSettings, type StepReport } from './training/network-training.js';
export { type OpenedTraining, openTask, openTraining } from './training/opened-training.js';
export { trainChild } from './training/train-child.js';
// Strategies with shared weights
export {
  type AnyWeightSharingDefinition,
  defineWeightSharing,
  type WeightSharingDefinition,
} from './weight-sharing/definition.js';
export { GradientSearch, gradientOptions } from './weight-sharing/gradient-search.js';
export { pathOf } from './weight-sharing/path.js';
export {
  type ChoiceStep,
  type EpochResult,
  type Found,
  type SearchedSupernet,
  SupernetSearch,
  type SupernetSearchStart,
} from './weight-sharing/supernet-search.js';
export { type SupernetSettings, supernetOptions } from './weight-sharing/supernet-settings.js';
export { weightSharing } from './weight-sharing/weight-sharing-names.js';

// A file of the user gets these very modules, not copies.
provideLibrary(() => import('./index.js'));
