import { backward, optim, scope, tensor } from '@espalier/torch';
import { z } from 'zod';
import { Controller } from '../controller/controller.js';
import { fromHost, toHost } from '../controller/host-tensors.js';
import type { Sampler } from '../controller/sampler.js';
import { InputError } from '../input-error.js';
import type { Measure } from '../measures/measure.js';
import { Random } from '../random/random.js';
import type { Space } from '../space/space.js';
import type {
  Asked,
  Proposal,
  Strategy,
  StrategyDefinition,
  StrategyEvent,
  StrategySnapshot,
  StrategyStart,
  TrialResult,
} from './strategy.js';

const options = z.strictObject({
  children: z.int().min(1).default(8).describe('m, architectures of one update (3.2; 4.1: 8)'),
  learningRate: z.number().positive().default(0.0006).describe('of Adam on the controller (4.1: 0.0006)'),
  baselineDecay: z
    .number()
    .min(0)
    .lt(1)
    .default(0.95)
    .describe('weight of the old value in the reward baseline b, an exponential moving average (3.2)'),
  rewardPower: z
    .number()
    .positive()
    .default(3)
    .describe(
      'the reward is this power of the accuracy, or of another measure that is better when higher (4.1: 3)',
    ),
  perplexityReward: z
    .number()
    .positive()
    .default(80)
    .describe(
      'c: the reward is c / perplexity^2, or the same of another measure that is better when lower (4.2: 80)',
    ),
  entropyWeight: z
    .number()
    .min(0)
    .default(0)
    .describe('weight of the entropy of the decisions in the objective of the controller; 0 in the paper'),
  hidden: z.int().min(1).default(35).describe('units of each LSTM layer of the controller (4.1: 35)'),
  controllerLayers: z.int().min(1).default(2).describe('LSTM layers of the controller (4.1: 2)'),
  initialRange: z
    .number()
    .positive()
    .default(0.08)
    .describe('the parameters of the controller start uniformly within +- this (4.1: 0.08)'),
  growEvery: z
    .int()
    .min(0)
    .default(1600)
    .describe('samples after which networks become deeper, in spaces with a depth (4.1: 1600); 0 for never'),
  growBy: z.int().min(1).default(2).describe('layers added each time (4.1: 2)'),
});

type Options = z.infer<typeof options>;

/** A proposal with its reward, kept until the next update. */
interface Told {
  readonly proposal: Proposal;
  readonly reward: number;
}

const snapshotJson = z.object({
  seed: z.int(),
  random: z.array(z.number()),
  heads: z.array(z.string()),
  asked: z.int(),
  updates: z.int(),
  baseline: z.number().nullable(),
  told: z.array(
    z.object({
      proposal: z.object({
        answers: z.array(z.union([z.number(), z.array(z.number())])),
        depth: z.number().optional(),
      }),
      reward: z.number(),
    }),
  ),
});

/**
 * The search of Zoph & Le 2016. A recurrent controller proposes architectures, and REINFORCE (Williams 1992) makes
 * those more probable whose reward R_k exceeds the baseline b (section 3.2). The controller ascends
 *
 *   1/m sum_k sum_t grad log P(a_t | a_(t-1:1)) (R_k - b)
 *
 * b is a moving average of all earlier rewards. In the first update, when there are none, it is the mean of the m
 * rewards. A failed trial has reward 0.
 */
class Reinforce implements Strategy {
  #controller: Controller;
  #optimizer: optim.Adam;
  /** Number of heads of the controller whose parameters the optimizer has. */
  #headsTaken = 0;
  /** Samples from the controller between two updates; created when a child is asked for. */
  #sampler: Sampler | undefined;
  readonly #depth: number | undefined;
  readonly #spaces = new Map<number | undefined, Space>();
  /** Seed of the parameters of the controller, also of heads that are created later. */
  #seed: number;
  #random: Random;
  #asked = 0;
  #updates = 0;
  #baseline: number | undefined;
  #told: Told[] = [];

  private readonly space: Space;
  private readonly options: Options;
  readonly #objective: Measure;

  constructor({ space, seed, options, objectives }: StrategyStart<Options>) {
    this.space = space;
    this.options = options;
    this.#objective = objectives[0];
    this.#seed = seed;
    this.#controller = this.#newController(seed);
    this.#optimizer = this.#newOptimizer(this.#controller);
    this.#random = Random.of(seed, 'reinforce');
    const { depthOption } = space.definition;
    if (depthOption !== undefined && options.growEvery > 0)
      this.#depth = space.options[depthOption] as number;
  }

  #newController(seed: number): Controller {
    const { hidden, controllerLayers, initialRange } = this.options;
    return new Controller({ hidden, layers: controllerLayers, initialRange, seed });
  }

  #newOptimizer(controller: Controller): optim.Adam {
    return new optim.Adam(controller.parameters(), { learningRate: this.options.learningRate });
  }

  ask(): Asked {
    // All m architectures of an update are sampled from the same controller.
    if (this.#asked >= (this.#updates + 1) * this.options.children) return 'wait';
    const depth = this.#depthOf(this.#asked++);
    this.#sampler ??= this.#controller.sampler();
    const answers = this.#sampler.sample(this.#spaceOf(depth), this.#random);
    this.#takeInNewHeads();
    return { answers, ...(depth === undefined ? {} : { depth }) };
  }

  tell({ trial, answers, depth, outcome }: TrialResult): readonly StrategyEvent[] {
    const reward = outcome.status === 'ok' ? this.#rewardOf(trial, outcome.value) : 0;
    this.#told.push({ proposal: { answers, ...(depth === undefined ? {} : { depth }) }, reward });
    if (this.#told.length < this.options.children) return [];
    const event = this.#update(this.#told);
    this.#told = [];
    return [event];
  }

  /**
   * The accuracy cubed (Zoph & Le, 4.1), or c / perplexity^2 (4.2). Other measures have the reward of their direction.
   *
   * @throws InputError for a value whose reward would be infinite, or lower than that of a worse value
   */
  #rewardOf(trial: number, value: number): number {
    const { rewardPower, perplexityReward } = this.options;
    const { name, better } = this.#objective;
    const isHigher = better === 'higher';
    if (isHigher ? value < 0 : value <= 0)
      throw new InputError(
        `strategy reinforce: the ${name} of trial ${trial} is ${value}; a reward is defined for values ` +
          (isHigher ? 'of 0 and above' : 'above 0'),
      );
    return isHigher ? value ** rewardPower : perplexityReward / value ** 2;
  }

  #update(told: readonly Told[]): StrategyEvent {
    const { entropyWeight, baselineDecay } = this.options;
    const rewards = told.map(({ reward }) => reward);
    const meanReward = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
    const baseline = this.#baseline ?? meanReward;
    const measured = scope(() => {
      const sequences = told.map(({ proposal }) => this.#spaceOf(proposal.depth).trace(proposal.answers));
      const { logProbability, entropy } = this.#controller.score(sequences);
      const advantage = tensor(rewards.map((reward) => reward - baseline));
      const gain = logProbability.mul(advantage).mean().add(entropy.mean().mul(entropyWeight));
      this.#optimizer.zeroGrad();
      backward(gain.neg());
      this.#optimizer.step();
      return { entropy: entropy.mean().item() };
    });
    this.#sampler = undefined;
    this.#updates++;
    this.#baseline = rewards.reduce(
      (average, reward) => baselineDecay * average + (1 - baselineDecay) * reward,
      baseline,
    );
    return { event: 'update', update: this.#updates, meanReward, baseline, ...measured };
  }

  snapshot(): StrategySnapshot {
    return scope(() => ({
      json: {
        seed: this.#seed,
        random: this.#random.state(),
        heads: Object.keys(this.#controller.heads),
        asked: this.#asked,
        updates: this.#updates,
        baseline: this.#baseline ?? null,
        told: this.#told.map(({ proposal, reward }) => ({ proposal: { ...proposal }, reward })),
      },
      tensors: new Map([
        ...toHost(this.#controller.stateDict(), 'controller.'),
        ...toHost(this.#optimizer.stateDict(), 'adam.'),
      ]),
    }));
  }

  restore({ json, tensors }: StrategySnapshot): void {
    const parsed = snapshotJson.safeParse(json);
    if (!parsed.success)
      throw new InputError(`not a snapshot of reinforce: ${z.prettifyError(parsed.error)}`);
    const { seed, random, heads, asked, updates, baseline, told } = parsed.data;
    // Create both anew: Adam identifies parameters by their order, which is that in which the heads were created.
    const controller = this.#newController(seed);
    let optimizer: optim.Adam;
    try {
      for (const name of heads) controller.addHead(name);
      optimizer = this.#newOptimizer(controller);
      scope(() => {
        controller.loadStateDict(fromHost(tensors, 'controller.'));
        optimizer.loadStateDict(fromHost(tensors, 'adam.'));
      });
    } catch (error) {
      controller.free();
      throw new InputError(`not a snapshot of this reinforce: ${(error as Error).message}`);
    }
    this.#controller.free();
    this.#optimizer.free();
    this.#controller = controller;
    this.#optimizer = optimizer;
    this.#headsTaken = heads.length;
    this.#sampler = undefined;
    this.#seed = seed;
    this.#random = Random.restore(random);
    this.#asked = asked;
    this.#updates = updates;
    this.#baseline = baseline ?? undefined;
    this.#told = told.map(({ proposal: { answers, depth }, reward }) => ({
      proposal: { answers, ...(depth === undefined ? {} : { depth }) },
      reward,
    }));
  }

  close(): void {
    this.#controller.free();
    this.#optimizer.free();
    this.#sampler = undefined;
  }

  /** "We increase the depth by 2 every 1,600 samples" (section 4.1). Undefined if the depth of the space is kept. */
  #depthOf(sample: number): number | undefined {
    const { growEvery, growBy } = this.options;
    return this.#depth === undefined ? undefined : this.#depth + growBy * Math.floor(sample / growEvery);
  }

  #spaceOf(depth: number | undefined): Space {
    let space = this.#spaces.get(depth);
    if (space === undefined) {
      space = depth === undefined ? this.space : this.space.withDepth(depth);
      this.#spaces.set(depth, space);
    }
    return space;
  }

  #takeInNewHeads(): void {
    const heads = Object.keys(this.#controller.heads).length;
    if (heads === this.#headsTaken) return;
    this.#headsTaken = heads;
    const known = new Set(this.#optimizer.parameters);
    const fresh = this.#controller.parameters().filter((parameter) => !known.has(parameter));
    if (fresh.length > 0) this.#optimizer.add(fresh);
  }
}

export const reinforce: StrategyDefinition<Options> = {
  name: 'reinforce',
  options,
  small: { children: 4, learningRate: 0.02, baselineDecay: 0.8, growEvery: 0 },
  create: (start) => new Reinforce(start),
};
