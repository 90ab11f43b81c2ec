import { z } from 'zod';
import type { HostTensor } from '../../src/host-tensor.js';
import { Random } from '../../src/random/random.js';
import type {
  Asked,
  Strategy,
  StrategyEvent,
  StrategySnapshot,
  TrialResult,
} from '../../src/strategies/strategy.js';

const snapshotJson = z.object({
  random: z.array(z.number()),
  asked: z.number(),
  told: z.number(),
  owed: z.boolean(),
});

/**
 * A strategy whose every proposal depends on all results so far and on when it was told them, so that any deviation
 * shows in the journal. It keeps a tensor, grows in depth, and waits for a result before every fifth proposal.
 */
export class LearningStrategy implements Strategy {
  #random = Random.of(5, 'learning');
  #average = new Float64Array(2);
  #asked = 0;
  #told = 0;
  #owed = false;

  ask(): Asked {
    if (this.#asked % 5 === 4 && !this.#owed && this.#asked > this.#told) {
      this.#owed = true;
      return 'wait';
    }
    this.#owed = false;
    this.#asked++;
    const bias = Math.floor((this.#average[0] as number) * 1000) + this.#told;
    const first = (this.#random.below(1000) + bias) % 1000;
    return {
      answers: [first, [this.#random.below(3), 3 + this.#random.below(3)]],
      ...(this.#asked > 6 ? { depth: 2 + Math.floor(this.#told / 8) } : {}),
    };
  }

  tell({ outcome, trial }: TrialResult): readonly StrategyEvent[] {
    this.#told++;
    const reward = outcome.status === 'ok' ? outcome.goodness ** 3 : 0;
    this.#average[0] = 0.9 * (this.#average[0] as number) + 0.1 * reward;
    this.#average[1] = trial;
    if (this.#told % 4 !== 0) return [];
    return [
      { event: 'update', baseline: this.#average[0] as number },
      { event: 'drawn', number: this.#random.below(1e6) },
    ];
  }

  snapshot(): StrategySnapshot {
    return {
      json: { random: [...this.#random.state()], asked: this.#asked, told: this.#told, owed: this.#owed },
      tensors: new Map([
        ['average', { dtype: 'float64', shape: [2], data: new Uint8Array(this.#average.slice().buffer) }],
      ]),
    };
  }

  restore({ json, tensors }: StrategySnapshot): void {
    const { random, asked, told, owed } = snapshotJson.parse(json);
    this.#random = Random.restore(random);
    this.#asked = asked;
    this.#told = told;
    this.#owed = owed;
    this.#average = new Float64Array((tensors.get('average') as HostTensor).data.slice().buffer);
  }
}
