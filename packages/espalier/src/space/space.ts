import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { Random } from '../random/random.js';
import { sampleAnswer } from './answers.js';
import { checkPlaces, readArchitecture } from './architecture.js';
import { countSheets } from './count.js';
import { enumerateSheets } from './enumerate.js';
import { findDependence } from './independence.js';
import type { Answer, Program } from './language.js';
import { mutateSheet } from './mutate.js';
import { type OptionsSchema, resolveOptions } from './options.js';
import { type AnsweredQuestion, type ProgramSource, type Trace, trace } from './trace.js';

/**
 * A search space: one program of choices, its options, and the network that an architecture describes.
 *
 * The names of the questions are the keys of the architecture: the answer to `choose('filters', ...)` inside
 * `block('layers.3', ...)` stands at `architecture.layers[3].filters`, that of a subset is the list of indices
 * taken. So an architecture can be read back into answers without a second list of the choices.
 *
 * @typeParam A the architecture: plain JSON
 * @typeParam O the options, all with defaults
 * @typeParam N the network; this folder knows nothing of it
 * @typeParam Q the architecture as the questions ask for it; another form than A where there is a `genotype`
 * @typeParam R what the networks read: images, or the tokens of a text
 */
export interface SpaceDefinition<
  A,
  O extends object = Record<never, never>,
  N = unknown,
  Q = A,
  R extends keyof NetworkInput = 'images',
> {
  readonly name: string;
  /** Options with their documentation (`.describe`) and defaults: what `--set` may change. */
  readonly options?: OptionsSchema<O>;
  choices(options: O): Program<Q>;
  /**
   * Between the questions' form of an architecture and the field's, where these differ: the genotype of a cell. Files
   * and networks have the field's. `read` takes whatever a file held and throws InputError for what is no genotype.
   */
  readonly genotype?: { write(asked: Q, options: O): A; read(published: unknown, options: O): Q };
  /** The option that a schedule of growing depth raises (Zoph & Le 2016, section 4.1), where there is one. */
  readonly depthOption?: keyof O & string;
  /** Options for a laptop: what `--preset small` sets. */
  readonly small?: Partial<O>;
  /** Options of the supernet of a search where the paper's network for the search is a smaller one. */
  readonly searched?: Partial<O>;
  /** What its networks read; images where it is not said. */
  readonly reads?: R;
  /** Builds the network of an architecture. */
  network?(architecture: A, input: NetworkInput[R], options: O): N;
  /** Builds the network that holds the weights of all architectures, where there is one. */
  supernet?(input: NetworkInput[R], options: O, variant: SupernetVariant): unknown;
  /** Whether its supernet knows partial channels. */
  readonly partialChannels?: boolean;
}

/** What a search may ask of a supernet besides the options of its space. */
export interface SupernetVariant {
  /** K: the operations see one in K channels, and edges have weights of their own (PC-DARTS, Xu et al. 2020); 1: all. */
  readonly partialChannels: number;
}

/** What a network of a space is built for. Images: channels, height, width, and the number of classes. */
export interface InputShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly classes: number;
}

/** What a language model of a space is built for: how many different tokens there are. */
export interface TokenInput {
  readonly vocabulary: number;
}

/** What a network is built for, by what it reads. */
interface NetworkInput {
  readonly images: InputShape;
  readonly tokens: TokenInput;
}

/** A definition whose options are not known: what a list of spaces holds. */
// biome-ignore lint/suspicious/noExplicitAny: options are checked by the schema, the input by `reads`, at run time
export type AnySpaceDefinition<A = unknown, N = unknown> = SpaceDefinition<A, any, N, any, any>;

/** A definition as it stands, with its types inferred: `export default defineSpace({ name, *choices() {...} })`. */
export function defineSpace<
  A,
  O extends object = Record<never, never>,
  N = unknown,
  R extends keyof NetworkInput = 'images',
>(definition: SpaceDefinition<A, O, N, A, R> & { readonly genotype?: never }): SpaceDefinition<A, O, N, A, R>;
export function defineSpace<
  A,
  O extends object = Record<never, never>,
  N = unknown,
  Q = A,
  R extends keyof NetworkInput = 'images',
>(definition: SpaceDefinition<A, O, N, Q, R>): SpaceDefinition<A, O, N, Q, R>;
export function defineSpace(definition: AnySpaceDefinition): AnySpaceDefinition {
  return definition;
}

/** How many sheets are looked at before a count relies on the independence of the blocks. */
const SHEETS_CHECKED = 10;

/**
 * A space with its options set. An answer sheet lists the answers to the program's questions in order; one
 * sheet, one architecture.
 */
export class Space<A = unknown, N = unknown> implements ProgramSource<unknown> {
  private constructor(
    readonly definition: AnySpaceDefinition<A, N>,
    /** All of them, those left at their defaults included. */
    readonly options: Readonly<Record<string, Json>>,
  ) {}

  /** @throws InputError for an option that does not exist or has a value that is not allowed */
  static configure<A, O extends object, N, Q, R extends keyof NetworkInput>(
    definition: SpaceDefinition<A, O, N, Q, R>,
    options: object = {},
  ): Space<A, N> {
    return new Space<A, N>(
      definition,
      resolveOptions(`space ${definition.name}`, definition.options, options),
    );
  }

  get name(): string {
    return this.definition.name;
  }

  /** The same space at another depth. @throws InputError where it has no depth, or not this one */
  withDepth(depth: number): Space<A, N> {
    const { depthOption } = this.definition;
    if (depthOption === undefined) {
      throw new InputError(`space ${this.name} has no depth, so it cannot be searched with depth ${depth}`);
    }
    return Space.configure(this.definition, { ...this.options, [depthOption]: depth });
  }

  program(): Program<unknown> {
    return this.definition.choices(this.options);
  }

  /** A sheet whose every answer is drawn evenly from those that its question allows. */
  sample(random: Random): Answer[] {
    return trace(this, ({ question }) => sampleAnswer(question, random)).asked.map(({ answer }) => answer);
  }

  /** The questions that a sheet answers. @throws InputError as `decode` */
  trace(answers: readonly Answer[]): readonly AnsweredQuestion[] {
    return this.#run(answers).asked;
  }

  /** The architecture of a sheet. @throws InputError for an answer that is not allowed, missing or too many */
  decode(answers: readonly Answer[]): A {
    const run = this.#run(answers);
    checkPlaces(this.name, run);
    const { genotype } = this.definition;
    return (genotype === undefined ? run.architecture : genotype.write(run.architecture, this.options)) as A;
  }

  /** The sheet of an architecture. @throws InputError that names the first place that is not of this space */
  encode(architecture: unknown): Answer[] {
    return this.#read(architecture).asked.map(({ answer }) => answer);
  }

  /** The architecture, with its keys in the program's order where it has no genotype. @throws InputError as `encode` */
  validate(architecture: unknown): A {
    const read = this.#read(architecture);
    return (this.definition.genotype === undefined ? read.architecture : architecture) as A;
  }

  #read(architecture: unknown): Trace<unknown> {
    const { genotype } = this.definition;
    return readArchitecture(
      this,
      genotype === undefined ? architecture : genotype.read(architecture, this.options),
    );
  }

  /** What equal sheets have in common, and different ones have not. */
  key(answers: readonly Answer[]): string {
    return JSON.stringify(answers);
  }

  /**
   * The sheet with one question answered differently (a choice: any other option; a subset: one item more,
   * less or exchanged). Later questions keep what they can. It differs from the sheet unless there is no other.
   */
  mutate(answers: readonly Answer[], random: Random): Answer[] {
    return mutateSheet(this, this.trace(answers), random);
  }

  /** Every sheet, lazily, in lexical order. */
  enumerate(): Generator<readonly Answer[], void> {
    return enumerateSheets(this);
  }

  /**
   * How many sheets there are, exactly.
   *
   * @throws InputError where blocks are missing (more than 1,000,000 combinations outside them) or where one is
   *   seen to break its promise, so that the count would be wrong
   */
  size(): bigint {
    const random = Random.of(0, 'independence of blocks');
    for (let i = 0; i < SHEETS_CHECKED; i++) {
      const dependence = findDependence(this, random);
      if (dependence !== undefined)
        throw new InputError(`space ${this.name} cannot be counted: ${dependence}`);
    }
    return countSheets(this);
  }

  #run(answers: readonly Answer[]): Trace<unknown> {
    const run = trace(this, ({ question }, i) => {
      const answer = answers[i];
      if (answer === undefined) {
        throw new InputError(
          `space ${this.name}: '${question.path}' has no answer; there are only ${answers.length} answers`,
        );
      }
      return answer;
    });
    const { length } = run.asked;
    if (answers.length > length) {
      throw new InputError(
        `space ${this.name}: there are ${answers.length} answers to ${length} questions; ` +
          `the first too many is ${JSON.stringify(answers[length])}`,
      );
    }
    return run;
  }
}
