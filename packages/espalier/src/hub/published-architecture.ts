/** An architecture that was published: what the hub holds, and what `inspect`, `train` and `export` take by its name. */
export interface PublishedArchitecture {
  readonly name: string;
  /** The name of its space, and the options that its network was published with. */
  readonly space: string;
  readonly options: { readonly [name: string]: unknown };
  /** In the field's form: what the space's `validate` takes. */
  readonly architecture: unknown;
  /** The paper with its section, and the code, that say so. */
  readonly source: string;
  /** Values learned and multiply-adds where we know them exactly; what the paper reports, in its words. */
  readonly figures: { readonly params?: number; readonly macs?: number; readonly published: string };
}
