import type { LanguageModel } from '../networks/language-model.js';
import type { SearchedSupernet } from './supernet-search.js';

/** A supernet as one of its architectures: only the weights of that one take part. */
export function pathOf<Model extends object>(
  supernet: SearchedSupernet<Model>,
  architecture: unknown,
): Model {
  const run = supernet.forwardPath as (...inputs: unknown[]) => unknown;
  const { initialState } = supernet as unknown as Partial<LanguageModel>;
  const path = {
    forward: (...inputs: readonly unknown[]) => run.call(supernet, ...inputs, architecture),
    ...(initialState === undefined
      ? {}
      : { initialState: (texts: number) => initialState.call(supernet, texts) }),
  };
  return path as unknown as Model;
}
