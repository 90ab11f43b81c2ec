import { backward, optim, scope, tensor } from '@espalier/torch';
import { Controller } from '../../src/controller/controller.js';
import type { Sampler } from '../../src/controller/sampler.js';
import { Random } from '../../src/random/random.js';
import type { Space } from '../../src/space/space.js';
import type { Proposal } from '../../src/strategies/strategy.js';

/** The settings of one replica on one shard. */
interface Settings {
  readonly children: number;
  readonly learningRate: number;
  readonly baselineDecay: number;
  readonly rewardPower: number;
  readonly entropyWeight: number;
  readonly hidden: number;
  readonly layers: number;
  readonly initialRange: number;
  readonly growEvery: number;
  readonly growBy: number;
}

/**
 * REINFORCE as the strategy was before it had replicas: one controller, one optimiser, no copies. What the strategy does
 * with one replica must equal it to the bit.
 */
export class SequentialReinforce {
  readonly controller: Controller;
  readonly optimizer: optim.Adam;
  #headsTaken = 0;
  #sampler: Sampler | undefined;
  readonly #random: Random;
  #asked = 0;
  #updates = 0;
  #baseline: number | undefined;
  #told: { proposal: Proposal; reward: number }[] = [];

  constructor(
    private readonly space: Space,
    seed: number,
    private readonly settings: Settings,
  ) {
    const { hidden, layers, initialRange, learningRate } = settings;
    this.controller = new Controller({ hidden, layers, initialRange, seed });
    this.optimizer = new optim.Adam(this.controller.parameters(), { learningRate });
    this.#random = Random.of(seed, 'reinforce');
  }

  ask(): Proposal {
    const { growEvery, growBy } = this.settings;
    const sample = this.#asked++;
    const begun = this.space.options[this.space.definition.depthOption as string] as number;
    const depth = growEvery === 0 ? undefined : begun + growBy * Math.floor(sample / growEvery);
    this.#sampler ??= this.controller.sampler();
    const answers = this.#sampler.sample(this.#at(depth), this.#random);
    if (Object.keys(this.controller.heads).length > this.#headsTaken) {
      this.#headsTaken = Object.keys(this.controller.heads).length;
      const known = new Set(this.optimizer.parameters);
      this.optimizer.add(this.controller.parameters().filter((parameter) => !known.has(parameter)));
    }
    return { answers, ...(depth === undefined ? {} : { depth }) };
  }

  /** @returns the event of the update, if this is the last child of the minibatch */
  tell(proposal: Proposal, accuracy: number): object | undefined {
    const { children, baselineDecay, rewardPower, entropyWeight } = this.settings;
    this.#told.push({ proposal, reward: accuracy ** rewardPower });
    if (this.#told.length < children) return undefined;
    const told = this.#told.splice(0);
    const rewards = told.map(({ reward }) => reward);
    const meanReward = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
    const baseline = this.#baseline ?? meanReward;
    const entropy = scope(() => {
      const scored = this.controller.score(
        told.map(({ proposal: { depth, answers } }) => this.#at(depth).trace(answers)),
      );
      const advantage = tensor(rewards.map((reward) => reward - baseline));
      const gain = scored.logProbability.mul(advantage).mean().add(scored.entropy.mean().mul(entropyWeight));
      this.optimizer.zeroGrad();
      backward(gain.neg());
      this.optimizer.step();
      return scored.entropy.mean().item();
    });
    this.#sampler = undefined;
    this.#baseline = rewards.reduce(
      (average, reward) => baselineDecay * average + (1 - baselineDecay) * reward,
      baseline,
    );
    return { event: 'update', update: ++this.#updates, meanReward, baseline, entropy };
  }

  #at(depth: number | undefined): Space {
    return depth === undefined ? this.space : this.space.withDepth(depth);
  }
}
