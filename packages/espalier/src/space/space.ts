import type { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { Random } from '../random/random.js';
import { sampleAnswer } from './answers.js';
import { checkPlaces, readArchitecture } from './architecture.js';
import { countSequences } from './count.js';
import { Dialogue } from './dialogue.js';
import { enumerateSequences } from './enumerate.js';
import { findDependence } from './independence.js';
import type { Answer, Program } from './language.js';
import { mutateSequence } from './mutate.js';
import { countNeighbours, neighboursOf } from './neighbours.js';
import { type OptionsSchema, resolveOptions } from './options.js';
import { type AnsweredQuestion, type ProgramSource, type Trace, trace } from './trace.js';

/**
 * A search space: a program of choices, its options, and the network that an architecture describes.
 *
 * The names of the questions are the keys of the architecture: `choose('filters', ...)` inside `block('layers.3', ...)`
 * sets `architecture.layers[3].filters`. A subset sets the list of the indices taken. So the program alone turns answers
 * into an architecture, and an architecture back into answers.
 *
 * @typeParam A the architecture: plain JSON
 * @typeParam O the options, all with defaults
 * @typeParam N the network; this folder knows nothing about it
 * @typeParam Q the architecture in the form of the questions; it differs from A in a space with a `genotype`
 * @typeParam R what the networks read: images, or the tokens of a text
 */
export interface SpaceDefinition<
  A,
  O extends object = Record<never, never>,
  N = unknown,
  Q = A,
  R extends string = 'images',
> {
  readonly name: string;
  /** What `--set` can change: a `z.strictObject` in which each option has a default and a text (`.describe`). */
  readonly options?: OptionsSchema<O>;
  choices(options: O): Program<Q>;
  /** Needed if the field writes architectures in another form than the questions have. */
  readonly genotype?: GenotypeForm<A, O, Q>;
  /** The option that holds the depth. A search can raise it step by step (Zoph & Le 2016, section 4.1). */
  readonly depthOption?: keyof O & string;
  /** Options that `--preset small` sets, for a laptop. */
  readonly small?: Partial<O>;
  /** Options of the children of a search, if the paper trains smaller networks in the search than in the end. */
  readonly children?: Partial<O>;
  /** Options of the supernet of a search, if the paper's supernet is smaller than the networks it trains in the end. */
  readonly searched?: Partial<O>;
  /** The kind of its networks, by what they read: `images` (the default), `tokens`, or the word of your own task. */
  readonly reads?: R;
  /** The name of the task that its networks are for. Needed if several tasks have networks of this kind. */
  readonly task?: string;
  /** What its published networks were built for. Needed if it is not the usual input of this kind of networks. */
  readonly usualInput?: InputOf<R>;
  /** Builds the network of an architecture. Without it the space can be sampled and counted, but not trained. */
  network?(architecture: A, input: InputOf<R>, options: O): N;
  /** Builds the network that holds the weights of all architectures. Strategies with shared weights need it. */
  supernet?(input: InputOf<R>, options: O, supernetOptions: SupernetOptions): unknown;
  /**
   * What a search can choose of the supernet, and its architectures do not have: a `z.strictObject` like `options`.
   * `--set supernet.NAME=VALUE` changes them.
   */
  readonly supernetOptions?: z.ZodObject;
}

/**
 * The form in which the field writes architectures, such as the genotype of a cell. Files and networks use it.
 *
 * @typeParam A an architecture in this form
 * @typeParam Q an architecture in the form of the questions
 */
interface GenotypeForm<A, O, Q> {
  write(asked: Q, options: O): A;
  /** @throws InputError for a value that is not a genotype of the space with these options */
  read(genotype: unknown, options: O): Q;
  /**
   * Recognises what other code writes of the space's architectures, which does not name the space.
   *
   * @returns the genotype in the form of this space, and the options that it implies (such as the number of nodes); what
   *   has the keys of a genotype but another fault is returned as it is, for `read` to refuse; undefined for anything else
   */
  published?(content: Readonly<Record<string, unknown>>): PublishedGenotype | undefined;
}

export interface PublishedGenotype {
  readonly architecture: object;
  readonly options: Readonly<Record<string, Json>>;
}

/** What `supernetOptions` of a space make of the user's values; `supernet` gives them their type. */
// biome-ignore lint/suspicious/noExplicitAny: the schema checks the options at run time
type SupernetOptions = any;

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

/** What a network is built for; a kind of networks of one's own says it in its own types. */
// biome-ignore lint/suspicious/noExplicitAny: only the kinds in the box are known here
type InputOf<R extends string> = R extends keyof NetworkInput ? NetworkInput[R] : any;

/** A definition whose options are not known: what a list of spaces holds. */
// biome-ignore lint/suspicious/noExplicitAny: options are checked by the schema, the input by `reads`, at run time
export type AnySpaceDefinition<A = unknown, N = unknown> = SpaceDefinition<A, any, N, any, any>;

/** Returns a definition unchanged, with its types inferred: `export default defineSpace({ name, *choices() {...} })`. */
export function defineSpace<
  A,
  O extends object = Record<never, never>,
  N = unknown,
  R extends string = 'images',
>(definition: SpaceDefinition<A, O, N, A, R> & { readonly genotype?: never }): SpaceDefinition<A, O, N, A, R>;
export function defineSpace<
  A,
  O extends object = Record<never, never>,
  N = unknown,
  Q = A,
  R extends string = 'images',
>(definition: SpaceDefinition<A, O, N, Q, R>): SpaceDefinition<A, O, N, Q, R>;
export function defineSpace(definition: AnySpaceDefinition): AnySpaceDefinition {
  return definition;
}

/** The number of decision sequences that are checked before a count relies on the independence of the blocks. */
const SEQUENCES_CHECKED = 10;

/**
 * A space with its options set. A decision sequence lists the answers to the program's questions in order; each makes one
 * architecture.
 *
 * @typeParam A the architecture, as the definition's program or genotype has it
 */
export class Space<A = unknown, N = unknown> implements ProgramSource<unknown> {
  private constructor(
    readonly definition: AnySpaceDefinition<A, N>,
    /** All options, including those at their defaults. */
    readonly options: Readonly<Record<string, Json>>,
  ) {}

  /** @throws InputError for an option that does not exist or has a value that is not allowed */
  static configure<A, O extends object, N, Q, R extends string>(
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

  /** The same space at another depth. @throws InputError if it has no depth option, or does not allow this depth */
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

  /** A random decision sequence: each answer is drawn uniformly from those that its question allows. */
  sample(random: Random): Answer[] {
    return trace(this, ({ question }) => sampleAnswer(question, random)).asked.map(({ answer }) => answer);
  }

  /**
   * Asks question by question, from the first one that `answers` leaves open.
   *
   * @throws InputError for an answer that its question does not allow, and for too many answers
   */
  begin(answers: readonly Answer[] = []): Dialogue<A> {
    const dialogue = new Dialogue(this, (run) => this.#written(run));
    for (const [i, answer] of answers.entries()) {
      if (dialogue.question === undefined) throw this.#tooMany(answers, i);
      dialogue.answer(answer);
    }
    return dialogue;
  }

  /** The questions that a decision sequence answers. @throws InputError as `decode` */
  trace(answers: readonly Answer[]): readonly AnsweredQuestion[] {
    return this.#run(answers).asked;
  }

  /** The architecture of a decision sequence. @throws InputError for an answer that is not allowed, missing or too many */
  decode(answers: readonly Answer[]): A {
    return this.#written(this.#run(answers));
  }

  /** The decision sequence of an architecture. @throws InputError as `validate`: types do not hold the rules of a space */
  encode(architecture: A): Answer[] {
    return this.#read(architecture).asked.map(({ answer }) => answer);
  }

  /**
   * Checks that a value is an architecture of this space, and returns it with its keys in the program's order (unchanged
   * if the space has a genotype).
   *
   * @throws InputError that names the first place that does not fit
   */
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

  #written(run: Trace<unknown>): A {
    checkPlaces(this.name, run);
    const { genotype } = this.definition;
    return (genotype === undefined ? run.architecture : genotype.write(run.architecture, this.options)) as A;
  }

  /** A text that two decision sequences share if and only if they are equal. */
  key(answers: readonly Answer[]): string {
    return JSON.stringify(answers);
  }

  /**
   * A random mutation: one question gets another answer (a choice: any other option; a subset: one item more or less, or
   * one exchanged if its size is fixed). Later questions keep their values where these are still allowed and are answered
   * at random elsewhere. The result differs from `answers` unless the space has only one sequence.
   *
   * @throws InputError as `decode`
   */
  mutate(answers: readonly Answer[], random: Random): Answer[] {
    return mutateSequence(this, this.trace(answers), random);
  }

  /**
   * All neighbours of a decision sequence, lazily and each once: one question gets another answer, as in `mutate`. Later
   * questions keep their values where these are still allowed and get their first answer elsewhere.
   *
   * @throws InputError as `decode`
   */
  neighbours(answers: readonly Answer[]): Generator<readonly Answer[], void> {
    return neighboursOf(this, this.trace(answers));
  }

  /** The number of neighbours, computed without listing them. @throws InputError as `decode` */
  countNeighbours(answers: readonly Answer[]): number {
    return countNeighbours(this.trace(answers));
  }

  /** Every decision sequence, lazily, in lexicographic order. */
  enumerate(): Generator<readonly Answer[], void> {
    return enumerateSequences(this);
  }

  /**
   * The exact number of decision sequences.
   *
   * @throws InputError if counting takes more than 10,000,000 questions, which happens to large programs without blocks,
   *   and if a random check finds a block or subset that later questions depend on, so that the count would be wrong
   */
  size(): bigint {
    const random = Random.of(0, 'independence of blocks');
    for (let i = 0; i < SEQUENCES_CHECKED; i++) {
      const dependence = findDependence(this, random);
      if (dependence !== undefined)
        throw new InputError(`space ${this.name} cannot be counted: ${dependence}`);
    }
    return countSequences(this);
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
    if (answers.length > length) throw this.#tooMany(answers, length);
    return run;
  }

  #tooMany(answers: readonly Answer[], questions: number): InputError {
    return new InputError(
      `space ${this.name}: there are ${answers.length} answers to ${questions} questions; ` +
        `the first too many is ${JSON.stringify(answers[questions])}`,
    );
  }
}
