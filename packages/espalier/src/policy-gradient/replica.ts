import { backward, noGrad, scope, type Tensor } from '@espalier/torch';
import { z } from 'zod';
import { Controller, type ControllerOptions, type ScoredDecisions } from '../controller/controller.js';
import type { Sampler } from '../controller/sampler.js';
import { Random } from '../random/random.js';
import type { Answer } from '../space/language.js';
import type { AnsweredQuestion, ProgramSource } from '../space/trace.js';
import type { Fetched, Pushed } from './parameter-server.js';
import type { Minibatch, Policy } from './policy.js';

/** A child with its reward. */
export interface Rewarded {
  readonly answers: readonly Answer[];
  readonly depth?: number;
  readonly reward: number;
}

/** The state of a replica besides its parameters. */
export const replicaJson = z.object({
  random: z.array(z.number()),
  /** The versions of the shards when the children of the minibatch were drawn; null if none is begun. */
  drawnAt: z.array(z.int().min(0)).nullable(),
  drawn: z.int().min(0),
  told: z.array(
    z.object({
      answers: z.array(z.union([z.number(), z.array(z.number())])),
      depth: z.exactOptional(z.number()),
      reward: z.number(),
    }),
  ),
});

export interface ReplicaOptions {
  readonly controller: ControllerOptions;
  /** m, the number of children in a minibatch. */
  readonly children: number;
  /** Of its random numbers. */
  readonly random: Random;
}

/** The gradient of a minibatch by parameter, and what is to be known of it. */
export interface MinibatchGradient {
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** Mean entropy of a child's decisions, in nats. */
  readonly entropy: number;
  readonly facts: Readonly<Record<string, number>>;
}

/**
 * A controller replica: it copies the parameters, draws the m children of a minibatch with them, and computes the
 * gradient once it knows all their rewards. Its caller fetches the parameters and pushes the gradient.
 */
export class Replica {
  /** The copy of the parameters. Created when it is needed, and then kept. */
  #controller: Controller | undefined;
  /** Draws with the parameters of the minibatch; created when a child is drawn. */
  #sampler: Sampler | undefined;
  #random: Random;
  #drawnAt: readonly number[] | undefined;
  #drawn = 0;
  #told: Rewarded[] = [];
  /** Heads of the copy that the server knows, too. */
  #headsShown = 0;

  constructor(private readonly options: ReplicaOptions) {
    this.#random = options.random;
  }

  /** The versions of the shards when the children of the minibatch were drawn; undefined between two minibatches. */
  get drawnAt(): readonly number[] | undefined {
    return this.#drawnAt;
  }

  /** Whether children of the minibatch are still to be drawn. */
  get draws(): boolean {
    return this.#drawnAt !== undefined && this.#drawn < this.options.children;
  }

  /** The children of the minibatch whose rewards are known. */
  get told(): readonly Rewarded[] {
    return this.#told;
  }

  /** Whether the rewards of all children of the minibatch are known. */
  get isComplete(): boolean {
    return this.#told.length === this.options.children;
  }

  /** Begins a minibatch, whose children are drawn with these parameters. */
  begin(fetched: Fetched): void {
    this.load(fetched);
    this.#drawnAt = fetched.versions;
  }

  /** Draws the next child of the minibatch. */
  draw(space: ProgramSource<unknown>): Answer[] {
    this.#sampler ??= this.#copy.sampler();
    this.#drawn++;
    const answers = this.#sampler.sample(space, this.#random);
    if (this.#drawn === this.options.children) this.#sampler = undefined;
    return answers;
  }

  /** The heads that the copy has gained since this was last called. */
  takeNewHeads(): readonly string[] {
    const heads = Object.keys(this.#copy.heads);
    const fresh = heads.slice(this.#headsShown);
    this.#headsShown = heads.length;
    return fresh;
  }

  take(child: Rewarded): void {
    this.#told.push(child);
  }

  /** How probable the copy finds decisions, without gradients. */
  probabilities(sequences: readonly (readonly AnsweredQuestion[])[]): readonly ScoredDecisions[] {
    return noGrad(() => this.#copy.score(sequences).decisions);
  }

  /** The gradient of what is minimised at the present parameters of the copy. Call it in a scope. */
  gradient(
    policy: Policy,
    sequences: readonly (readonly AnsweredQuestion[])[],
    minibatch: Minibatch,
    entropyWeight: number,
  ): MinibatchGradient {
    const scored = this.#copy.score(sequences);
    const { gain, facts = {} } = policy.gain(scored, minibatch);
    const entropy = scored.entropy.mean();
    backward(gain.add(entropy.mul(entropyWeight)).neg());
    const parameters = new Map<string, Tensor>();
    for (const [name, parameter] of this.#copy.parametersByName()) {
      const gradient = parameter.grad;
      if (gradient === undefined) continue;
      parameters.set(name, gradient);
      parameter.grad = undefined;
    }
    return { parameters, entropy: entropy.item(), facts };
  }

  /** Learns that a gradient of the minibatch was pushed: its own updates do not make its children stale. */
  pushed({ versions, staleness }: Pushed): void {
    this.#drawnAt = versions.map((version) => version - staleness);
  }

  /** Ends the minibatch. */
  end(): void {
    this.#drawnAt = undefined;
    this.#sampler = undefined;
    this.#drawn = 0;
    this.#told = [];
  }

  /** Copies parameters. */
  load({ heads, parameters }: Pick<Fetched, 'heads' | 'parameters'>): void {
    const copy = this.#copy;
    for (const name of heads) if (!(name in copy.heads)) copy.addHead(name);
    this.#headsShown = Object.keys(copy.heads).length;
    scope(() =>
      noGrad(() => {
        for (const [name, parameter] of copy.parametersByName()) {
          const newest = parameters.get(name);
          if (newest !== undefined) parameter.copy_(newest);
        }
      }),
    );
  }

  /** Its copy of the parameters, itself and not another copy. */
  get parameters(): Pick<Fetched, 'heads' | 'parameters'> {
    return { heads: Object.keys(this.#copy.heads), parameters: this.#copy.parametersByName() };
  }

  get #copy(): Controller {
    this.#controller ??= new Controller(this.options.controller);
    return this.#controller;
  }

  json(): z.infer<typeof replicaJson> {
    return {
      random: [...this.#random.state()],
      drawnAt: this.#drawnAt === undefined ? null : [...this.#drawnAt],
      drawn: this.#drawn,
      told: this.#told.map((child) => ({ ...child }) as z.infer<typeof replicaJson>['told'][number]),
    };
  }

  /** Restores the state besides the parameters. */
  restore({ random, drawnAt, drawn, told }: z.infer<typeof replicaJson>): void {
    this.#random = Random.restore(random);
    this.#drawnAt = drawnAt ?? undefined;
    this.#drawn = drawn;
    this.#told = told.map((child) => ({ ...child }) as Rewarded);
    this.#sampler = undefined;
  }

  free(): void {
    this.#controller?.free();
    this.#controller = undefined;
    this.#sampler = undefined;
  }
}
