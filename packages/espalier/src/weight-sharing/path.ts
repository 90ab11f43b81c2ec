import type { Tensor } from '@espalier/torch';
import type { LanguageModel } from '../networks/language-model.js';
import type { ArchitecturesOnOneInput, Supernet } from '../supernets/supernet.js';
import type { SearchedSupernet } from './supernet-search.js';

/** A supernet as one of its architectures: only the weights of that architecture take part. */
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

/** Many architectures of a supernet of images on the same batch, in evaluation. */
export class PathsOnOneInput<Model extends object> {
  #paths: ArchitecturesOnOneInput | undefined;

  constructor(private readonly supernet: SearchedSupernet<Model>) {}

  /** The supernet as one of them. It must be called with nothing but the images of the batch. */
  of(architecture: unknown): Model {
    const { pathsOn } = this.supernet as unknown as Partial<Supernet>;
    if (pathsOn === undefined) return pathOf(this.supernet, architecture);
    const model = {
      forward: (images: Tensor) => {
        this.#paths ??= pathsOn.call(this.supernet, images) as ArchitecturesOnOneInput;
        return this.#paths.run(architecture);
      },
    };
    return model as unknown as Model;
  }

  free(): void {
    this.#paths?.free();
  }
}
