import type { Json } from '../json.js';
import type { EstimateRequest } from './estimator.js';

/** What a worker is sent: how to begin, once, then one trial at a time. */
export type ToWorker =
  /** `parent` is the process to die with. */
  | { readonly kind: 'begin'; readonly parent: number; readonly init: Json }
  | { readonly kind: 'trial'; readonly request: EstimateRequest };

/** What a worker says. */
export type FromWorker =
  | { readonly kind: 'ready' }
  /** It cannot work at all; `input`: for what the user gave. It exits. */
  | { readonly kind: 'unable'; readonly message: string; readonly input: boolean }
  | { readonly kind: 'progress'; readonly trial: number; readonly progress: Json }
  /** `last`: the worker is not to be trusted with another trial, and exits. */
  | { readonly kind: 'outcome'; readonly trial: number; readonly outcome: unknown; readonly last: boolean };
