import type { Json } from '../json.js';

/**
 * What a program needs besides a network to use it: the task, the input, and what the training kept (names of classes,
 * normalisation, vocabulary). Empty for a network that was not trained here.
 */
export type ExportMetadata = Readonly<Record<string, Json>>;
