import { scope } from '@espalier/torch';
import { z } from 'zod';
import type { ControllerOptions } from '../controller/controller.js';
import { fromHost, toHost } from '../controller/host-tensors.js';
import type { HostTensor } from '../host-tensor.js';
import { InputError } from '../input-error.js';
import type { Measure } from '../measures/measure.js';
import { LocalParameterServer, serverJson } from '../policy-gradient/local-parameter-server.js';
import type { Policy } from '../policy-gradient/policy.js';
import { Replica, replicaJson } from '../policy-gradient/replica.js';
import { baselineAfter, meanOf, rewardOf } from '../policy-gradient/reward.js';
import { canBegin } from '../policy-gradient/staleness-bound.js';
import { type PushedGradient, pushedGradient, updateEvent } from '../policy-gradient/update-event.js';
import { Random } from '../random/random.js';
import type { Space } from '../space/space.js';
import type { PolicyGradientOptions } from './policy-gradient-options.js';
import type {
  Asked,
  Strategy,
  StrategyEvent,
  StrategySnapshot,
  StrategyStart,
  TrialResult,
} from './strategy.js';

const snapshotJson = z.object({
  seed: z.int(),
  asked: z.int().min(0),
  baseline: z.number().nullable(),
  server: serverJson,
  /** Gradients that are accumulated. */
  gradients: z.array(pushedGradient),
  /** The trials that have no result, with their replicas. */
  running: z.array(z.tuple([z.int(), z.int()])),
  replicas: z.array(
    replicaJson.extend({
      /** Which of the `copies` its parameters are; null if they are those of the server. */
      copy: z.int().min(0).nullable(),
    }),
  ),
  /** The heads of older parameters, which some replicas still have. */
  copies: z.array(z.array(z.string())),
});

/**
 * The search of Zoph & Le 2016 and of Zoph et al. 2018. K replicas of a recurrent controller propose architectures, m
 * each at a time. When the m children of a replica are measured, its policy makes a gradient of their rewards R_k, as far
 * as these exceed the baseline b, and pushes it to the parameter server. No replica waits for another. The free one that
 * is first in order draws next, with the newest parameters.
 *
 * b is an exponential moving average of all rewards whose gradients were made before. When there are none, it is the mean
 * of the m rewards. A failed trial has reward 0.
 *
 * With one replica this is the sequential algorithm.
 */
export class PolicyGradientSearch implements Strategy {
  readonly #name: string;
  readonly #policy: Policy;
  readonly #space: Space;
  readonly #options: PolicyGradientOptions;
  readonly #objective: Measure;
  readonly #depth: number | undefined;
  readonly #spaces = new Map<number | undefined, Space>();
  /** Seed of the parameters of the controller, also of heads that are created later. */
  #seed: number;
  #server: LocalParameterServer;
  #replicas: readonly Replica[];
  /** The replica of each trial that has no result. */
  #running = new Map<number, number>();
  #asked = 0;
  #baseline: number | undefined;
  #gradients: PushedGradient[] = [];

  constructor(
    name: string,
    policy: Policy,
    { space, seed, options, objectives }: StrategyStart<PolicyGradientOptions>,
  ) {
    this.#name = name;
    this.#policy = policy;
    this.#space = space;
    this.#options = options;
    this.#objective = objectives[0];
    this.#seed = seed;
    this.#server = this.#newServer(seed);
    this.#replicas = this.#newReplicas(seed);
    const { depthOption } = space.definition;
    if (depthOption !== undefined && options.growEvery > 0)
      this.#depth = space.options[depthOption] as number;
  }

  #controllerOptions(seed: number): ControllerOptions {
    const { hidden, controllerLayers: layers, initialRange } = this.#options;
    return { hidden, layers, initialRange, seed };
  }

  #newServer(seed: number): LocalParameterServer {
    const { shards, accumulate, learningRate } = this.#options;
    return new LocalParameterServer({
      shards,
      accumulate,
      learningRate,
      controller: this.#controllerOptions(seed),
    });
  }

  #newReplicas(seed: number): Replica[] {
    const { replicas, children } = this.#options;
    return Array.from(
      { length: replicas },
      (_, index) =>
        new Replica({
          controller: this.#controllerOptions(seed),
          children,
          random: Random.of(seed, index === 0 ? this.#name : `${this.#name}, replica ${index}`),
        }),
    );
  }

  ask(): Asked {
    const index = this.#nextToDraw();
    if (index === undefined) return 'wait';
    const replica = this.#replicas[index] as Replica;
    if (!replica.draws) replica.begin(this.#server.fetch());
    const trial = this.#asked++;
    const depth = this.#depthOf(trial);
    const answers = replica.draw(this.#spaceOf(depth));
    this.#server.grow(replica.takeNewHeads());
    this.#running.set(trial, index);
    return { answers, ...(depth === undefined ? {} : { depth }) };
  }

  /** The replica that has begun to draw, or else the first one that is free, if it can begin. */
  #nextToDraw(): number | undefined {
    const drawing = this.#replicas.findIndex((replica) => replica.draws);
    if (drawing >= 0) return drawing;
    const free = this.#replicas.findIndex((replica) => replica.drawnAt === undefined);
    return free >= 0 && this.#canBegin() ? free : undefined;
  }

  #canBegin(): boolean {
    const { maxStaleness, accumulate } = this.#options;
    if (maxStaleness === null) return true;
    const { version, accumulated } = this.#server;
    const { passes } = this.#policy;
    // The versions of all shards in this process are the same.
    const drawnAt = this.#replicas.flatMap((replica) => replica.drawnAt?.[0] ?? []);
    return canBegin({ version, accumulated, accumulate, passes, drawnAt }, maxStaleness);
  }

  tell({ trial, answers, depth, outcome }: TrialResult): readonly StrategyEvent[] {
    const reward = outcome.status === 'ok' ? this.#rewardOf(trial, outcome.value) : 0;
    const index = this.#running.get(trial);
    if (index === undefined)
      throw new InputError(`strategy ${this.#name}: trial ${trial} is told, but does not run`);
    this.#running.delete(trial);
    const replica = this.#replicas[index] as Replica;
    replica.take({ answers, ...(depth === undefined ? {} : { depth }), reward });
    return replica.isComplete ? this.#learn(replica) : [];
  }

  #rewardOf(trial: number, value: number): number {
    const { name } = this.#objective;
    return rewardOf(
      this.#objective,
      value,
      this.#options,
      `strategy ${this.#name}: the ${name} of trial ${trial}`,
    );
  }

  /** Pushes the gradients of a replica whose children are all measured. */
  #learn(replica: Replica): StrategyEvent[] {
    const { entropyWeight, baselineDecay } = this.#options;
    const rewards = replica.told.map(({ reward }) => reward);
    const meanReward = meanOf(rewards);
    const baseline = this.#baseline ?? meanReward;
    const advantages = rewards.map((reward) => reward - baseline);
    const events = scope(() => {
      const { passes, atNewest } = this.#policy;
      const sequences = replica.told.map(({ depth, answers }) => this.#spaceOf(depth).trace(answers));
      const drawn = atNewest ? replica.probabilities(sequences) : [];
      return Array.from({ length: passes }, () => {
        if (atNewest) replica.load(this.#server.fetch());
        const { parameters, entropy, facts } = replica.gradient(
          this.#policy,
          sequences,
          { advantages, drawn },
          entropyWeight,
        );
        const drawnAt = replica.drawnAt as readonly number[];
        const pushed = this.#server.push({ parameters, drawnAt });
        replica.pushed(pushed);
        const { staleness } = pushed;
        this.#gradients.push({ meanReward, baseline, staleness, facts: { entropy, ...facts } });
        return pushed.updated ? [this.#updateEvent()] : [];
      }).flat();
    });
    replica.end();
    this.#baseline = baselineAfter(baseline, rewards, baselineDecay);
    return events;
  }

  #updateEvent(): StrategyEvent {
    const gradients = this.#gradients;
    this.#gradients = [];
    return updateEvent(this.#server.version, gradients);
  }

  snapshot(): StrategySnapshot {
    return scope(() => {
      const { json: server, tensors } = this.#server.snapshot();
      const current = this.#server.fetch().versions.join();
      // Replicas that have fetched the same parameters share one copy here.
      const copies = new Map<
        string,
        { place: number; heads: Set<string>; tensors: [string, HostTensor][] }
      >();
      const replicas = this.#replicas.map((replica) => {
        const json = replica.json();
        const versions = json.drawnAt?.join() ?? current;
        if (versions === current) return { ...json, copy: null };
        let copy = copies.get(versions);
        if (copy === undefined) {
          copy = { place: copies.size, heads: new Set(), tensors: [] };
          copies.set(versions, copy);
        }
        const { heads, parameters } = replica.parameters;
        for (const head of heads) copy.heads.add(head);
        copy.tensors.push(...toHost(parameters, `copy.${copy.place}.`));
        return { ...json, copy: copy.place };
      });
      return {
        json: {
          seed: this.#seed,
          asked: this.#asked,
          baseline: this.#baseline ?? null,
          server,
          gradients: this.#gradients.map((gradient) => ({ ...gradient })),
          running: [...this.#running],
          replicas,
          copies: [...copies.values()].map(({ heads }) => [...heads]),
        },
        tensors: new Map([...tensors, ...[...copies.values()].flatMap((copy) => copy.tensors)]),
      };
    });
  }

  restore({ json, tensors }: StrategySnapshot): void {
    const parsed = snapshotJson.safeParse(json);
    if (!parsed.success)
      throw new InputError(`not a snapshot of ${this.#name}: ${z.prettifyError(parsed.error)}`);
    const {
      seed,
      asked,
      baseline,
      server: counts,
      gradients,
      running,
      replicas: states,
      copies,
    } = parsed.data;
    const server = this.#newServer(seed);
    const replicas = this.#newReplicas(seed);
    try {
      if (states.length !== replicas.length)
        throw new Error(`it has ${states.length} replicas, not ${replicas.length}`);
      scope(() => {
        server.restore(counts, tensors);
        const older = copies.map((heads, place) => ({
          heads,
          parameters: fromHost(tensors, `copy.${place}.`),
        }));
        for (const [index, { copy, ...state }] of states.entries()) {
          const replica = replicas[index] as Replica;
          replica.restore(state);
          if (copy !== null) replica.load(older[copy] as (typeof older)[number]);
          else if (state.drawnAt !== null) replica.load(server.fetch());
        }
      });
    } catch (error) {
      free(server, replicas);
      throw new InputError(`not a snapshot of this ${this.#name}: ${(error as Error).message}`);
    }
    this.close();
    this.#seed = seed;
    this.#server = server;
    this.#replicas = replicas;
    this.#running = new Map(running);
    this.#asked = asked;
    this.#baseline = baseline ?? undefined;
    this.#gradients = gradients;
  }

  close(): void {
    free(this.#server, this.#replicas);
  }

  /** "We increase the depth by 2 every 1,600 samples" (section 4.1). Undefined if the depth of the space is kept. */
  #depthOf(sample: number): number | undefined {
    const { growEvery, growBy } = this.#options;
    return this.#depth === undefined ? undefined : this.#depth + growBy * Math.floor(sample / growEvery);
  }

  #spaceOf(depth: number | undefined): Space {
    let space = this.#spaces.get(depth);
    if (space === undefined) {
      space = depth === undefined ? this.#space : this.#space.withDepth(depth);
      this.#spaces.set(depth, space);
    }
    return space;
  }
}

function free(server: LocalParameterServer, replicas: readonly Replica[]): void {
  server.free();
  for (const replica of replicas) replica.free();
}
