import type { Json } from '../json.js';

/** A published architecture. The hub lists it, and `inspect`, `train` and `export` accept its name. */
export interface PublishedArchitecture {
  readonly name: string;
  /** The name of its search space, and the options of the published network. */
  readonly space: string;
  readonly options: { readonly [name: string]: unknown };
  /** What the published network is built for, where that is not the usual input of its space: `{ height: 331, ... }`. */
  readonly input?: { readonly [key: string]: Json };
  /** The architecture in the form that the `validate` method of the space accepts. */
  readonly architecture: unknown;
  /** Reference to the paper (with the section) and to the authors' code. */
  readonly source: string;
  /** Trainable parameters and multiply-adds, if known exactly, and the results as reported in the paper. */
  readonly figures: { readonly params?: number; readonly macs?: number; readonly published: string };
}
