/** Espalier as a library: what the command line is made of. */
export * from './authoring.js';
export {
  type Experiment,
  type ExperimentRequest,
  headerOf,
  prepareExperiment,
  prepareResume,
} from './experiments/experiment.js';
export { findArchitecture, readRun } from './experiments/found-architecture.js';
export { InputError } from './input-error.js';
export { buildLanguageModel } from './networks/build-language-model.js';
export { buildNetwork } from './networks/build-network.js';
export { classify } from './prediction/classify.js';
export { evaluationView, type View } from './prediction/evaluation-view.js';
export { readImage } from './prediction/image-file.js';
export { predictNextToken, type TokenPrediction } from './prediction/predict-next-token.js';
export type { Prediction } from './prediction/prediction.js';
export { hasAuxiliaryHead, loadWeights, readWeights } from './prediction/weights.js';
export type { Estimator, TrialRequest } from './runs/estimator.js';
export type { Outcome } from './runs/outcome.js';
export { RunFolder } from './runs/run-folder.js';
export { RunState } from './runs/run-state.js';
export { runSearch } from './runs/search.js';
export { Space } from './space/space.js';
export { spaces } from './spaces/space-names.js';
export type { Strategy, StrategyDefinition } from './strategies/strategy.js';
export { strategies } from './strategies/strategy-names.js';
