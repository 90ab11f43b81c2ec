import { backward, optim, scope, tensor } from '@espalier/torch';
import { z } from 'zod';
import { Controller } from '../controller/controller.js';
import { fromHost, toHost } from '../controller/host-tensors.js';
import type { Sampler } from '../controller/sampler.js';
import { InputError } from '../input-error.js';
import { Random } from '../random/random.js';
import type { Space } from '../space/space.js';
import type { Measured } from '../tasks/measure.js';
import type {
  Proposal,
  Strategy,
  StrategyDefinition,
  StrategyEvent,
  StrategySnapshot,
  TrialResult,
} from './strategy.js';

const options = z.object({
  children: z.int().min(1).default(8).describe('m, architectures of one update (3.2; 4.1: 8)'),
  learningRate: z.number().positive().default(0.0006).describe('of Adam on the controller (4.1: 0.0006)'),
  baselineDecay: z
    .number()
    .min(0)
    .lt(1)
    .default(0.95)
    .describe('share of the old value in the reward baseline b, an exponential moving average (3.2)'),
  rewardPower: z
    .number()
    .positive()
    .default(3)
    .describe('the reward is the accuracy to this power (4.1: cubed)'),
  perplexityReward: z
    .number()
    .positive()
    .default(80)
    .describe('c; of a language model the reward is c / perplexity^2 (4.2: 80)'),
  entropyWeight: z
    .number()
    .min(0)
    .default(0)
    .describe("weight of the answers' entropy in what is maximised; the paper has none"),
  hidden: z.int().min(1).default(35).describe('units of each LSTM layer of the controller (4.1: 35)'),
  controllerLayers: z.int().min(1).default(2).describe('LSTM layers of the controller (4.1: 2)'),
  initialRange: z
    .number()
    .positive()
    .default(0.08)
    .describe("the controller's parameters start uniformly in +- this (4.1: 0.08)"),
  growEvery: z
    .int()
    .min(0)
    .default(1600)
    .describe('samples after which the networks get deeper (4.1: 1600); 0 never; for spaces with a depth'),
  growBy: z.int().min(1).default(2).describe('layers more each time (4.1: 2)'),
});

type Options = z.infer<typeof options>;

/** What must be known of a proposal until its result came. */
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
 * The search of Zoph & Le 2016: a recurrent controller proposes, and REINFORCE (Williams 1992) makes what was better
 * than the baseline more probable (section 3.2):
 *
 *   1/m sum_k sum_t grad log P(a_t | a_(t-1:1)) (R_k - b)
 *
 * b is a moving average of the rewards before; in the first update, where there are none, it is the mean of the m.
 * A failed trial has reward 0.
 */
class Reinforce implements Strategy {
  readonly name = 'reinforce';
  #controller: Controller;
  #optimizer: optim.Adam;
  /** Heads of the controller whose parameters the optimizer has. */
  #headsTaken = 0;
  /** Of the controller as it is between two updates, once a child is asked for. */
  #sampler: Sampler | undefined;
  readonly #depth: number | undefined;
  readonly #spaces = new Map<number | undefined, Space>();
  /** Of the heads too that are still to be made. */
  #seed: number;
  #random: Random;
  #asked = 0;
  #updates = 0;
  #baseline: number | undefined;
  #told: Told[] = [];

  constructor(
    private readonly space: Space,
    seed: number,
    private readonly options: Options,
  ) {
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

  ask(): Proposal | undefined {
    // The m architectures of an update all come from the same controller.
    if (this.#asked >= (this.#updates + 1) * this.options.children) return undefined;
    const depth = this.#depthOf(this.#asked++);
    this.#sampler ??= this.#controller.sampler();
    const answers = this.#sampler.sample(this.#spaceOf(depth), this.#random);
    this.#takeInNewHeads();
    return { answers, ...(depth === undefined ? {} : { depth }) };
  }

  tell({ answers, depth, outcome }: TrialResult): readonly StrategyEvent[] {
    const reward = outcome.status === 'ok' ? this.#rewardOf(outcome) : 0;
    this.#told.push({ proposal: { answers, ...(depth === undefined ? {} : { depth }) }, reward });
    if (this.#told.length < this.options.children) return [];
    const event = this.#update(this.#told);
    this.#told = [];
    return [event];
  }

  #rewardOf({ accuracy, perplexity }: Measured): number {
    const { rewardPower, perplexityReward } = this.options;
    return accuracy === undefined ? perplexityReward / perplexity ** 2 : accuracy ** rewardPower;
  }

  #update(told: readonly Told[]): StrategyEvent {
    const { entropyWeight, baselineDecay } = this.options;
    const rewards = told.map(({ reward }) => reward);
    const meanReward = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
    const baseline = this.#baseline ?? meanReward;
    const measured = scope(() => {
      const sheets = told.map(({ proposal }) => this.#spaceOf(proposal.depth).trace(proposal.answers));
      const { logProbability, entropy } = this.#controller.score(sheets);
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
    if (!parsed.success) throw new InputError(`no snapshot of reinforce: ${z.prettifyError(parsed.error)}`);
    const { seed, random, heads, asked, updates, baseline, told } = parsed.data;
    // Anew: Adam knows parameters by their order, which is that in which the heads were made.
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
      throw new InputError(`no snapshot of this reinforce: ${(error as Error).message}`);
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

  /** "We increase the depth by 2 every 1,600 samples" (section 4.1); undefined where the space's own is kept. */
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
  create: ({ space, seed, options }) => new Reinforce(space, seed, options),
};
