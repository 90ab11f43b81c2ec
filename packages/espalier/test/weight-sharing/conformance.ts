import { join } from 'node:path';
import { loadTensors, type nn, saveTensors, scope, setThreads } from '@espalier/torch';
import { expect, it } from 'vitest';
import type { Json } from '../../src/json.js';
import { resolveOptions } from '../../src/space/options.js';
import { Space } from '../../src/space/space.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { nasBench201 } from '../../src/spaces/nasbench201.js';
import { buildLanguageSupernet, buildSupernet } from '../../src/supernets/build-supernet.js';
import { LanguageModelling } from '../../src/tasks/language-modelling.js';
import type { Task } from '../../src/tasks/task.js';
import { initialised } from '../../src/training/child.js';
import type { AnyWeightSharingDefinition } from '../../src/weight-sharing/definition.js';
import type { SearchedSupernet, SupernetSearch } from '../../src/weight-sharing/supernet-search.js';
import { temporaryFolder } from '../runs/temporary-folder.js';
import { classify, settingsOf, tinyTask } from '../training/tiny-task.js';

setThreads(1);

/** Eight words that follow each other in turn, now and then one astray. */
const text = (count: number, astray: number) =>
  Int32Array.from({ length: count }, (_, i) => (i % astray === 0 ? (3 * i) % 8 : i % 8));

/** A text of 8 words: 80 tokens to train on, 40 to validate and to test. */
export const tinyText = {
  train: text(80, 7),
  validation: text(40, 5),
  test: text(40, 6),
  checksum: () => 'tiny text',
};

const language = new LanguageModelling(tinyText, { stretch: 5, alpha: 0, beta: 1e-3, device: 'cpu' });

/** A space with its supernet, small, on a small task. */
interface Setting {
  readonly name: string;
  readonly space: Space;
  readonly task: Task<object>;
  readonly reads: 'images' | 'tokens';
  readonly build: () => nn.Module;
}

const cells = Space.configure(dartsCnn, { channels: 2, layers: 3, nodes: 2 });
const table = Space.configure(nasBench201, { channels: 2, cells: 1 });
const recurrent = Space.configure(dartsRnn, { hidden: 4, nodes: 3 });

export const settings: readonly Setting[] = [
  {
    name: 'darts-cnn',
    space: cells,
    task: classify(settingsOf()),
    reads: 'images',
    build: () => buildSupernet(cells, tinyTask.shape),
  },
  {
    name: 'nasbench201',
    space: table,
    task: classify(settingsOf()),
    reads: 'images',
    build: () => buildSupernet(table, tinyTask.shape),
  },
  {
    name: 'darts-rnn',
    space: recurrent,
    task: language,
    reads: 'tokens',
    build: () => buildLanguageSupernet(recurrent, { vocabulary: 8 }),
  },
];

/** A search ready for its first epoch, with what it needs freed at the end. */
export function begin(
  definition: AnyWeightSharingDefinition,
  { space, task, reads, build }: Setting,
  given: Readonly<Record<string, Json>> = {},
  seed = 1,
): { search: SupernetSearch<object>; supernet: SearchedSupernet<object>; end(): void } {
  const options = resolveOptions('options', definition.options[reads], {
    epochs: 3,
    batchSize: reads === 'images' ? 6 : 4,
    ...(reads === 'tokens' ? { learningRate: 1, finalLearningRate: 1 } : {}),
    ...given,
  });
  const supernet = initialised(build, seed) as unknown as SearchedSupernet<object>;
  const search = definition.create({ space, task, supernet, options, seed });
  return {
    search,
    supernet,
    end() {
      search.free();
      supernet.free();
    },
  };
}

/** One epoch: the losses of its steps, and what it came to. */
export function epoch(search: SupernetSearch<object>) {
  const losses = [...search.trainEpoch()].map(({ loss }) => loss);
  return { losses, result: search.endEpoch() };
}

/** Everything to the end. */
function finish(search: SupernetSearch<object>) {
  const epochs = [];
  while (!search.trained) epochs.push(epoch(search));
  const choice = search.choose();
  let next = choice.next();
  while (!next.done) next = choice.next();
  return { epochs, found: next.value };
}

/** What every strategy that shares weights must do, on every kind of supernet. */
export function conforms(
  definition: AnyWeightSharingDefinition,
  given: Readonly<Record<string, Json>> = {},
): void {
  for (const setting of settings) {
    it(`${setting.name}: comes to an architecture of the space, the same for the same seed`, () => {
      const run = (seed: number) => {
        const begun = begin(definition, setting, given, seed);
        const result = finish(begun.search);
        begun.end();
        return result;
      };
      const first = run(1);
      expect(() => setting.space.validate(first.found.architecture)).not.toThrow();
      expect(first.epochs.flatMap(({ losses }) => losses).every(Number.isFinite)).toBe(true);
      expect(run(1)).toEqual(first);
      expect(run(2).epochs[0]?.losses).not.toEqual(first.epochs[0]?.losses);
    });

    it(`${setting.name}: goes on from what was saved after an epoch as if nothing had happened`, () => {
      const undisturbed = begin(definition, setting, given);
      const whole = finish(undisturbed.search);
      undisturbed.end();

      const before = begin(definition, setting, given);
      epoch(before.search);
      const file = join(temporaryFolder(), 'state.safetensors');
      scope(() => saveTensors(file, before.search.stateDict()));
      const json = JSON.parse(JSON.stringify(before.search.stateJson())) as Json;
      const loss = before.search.lastLoss;
      before.end();

      // Another seed's weights, and another's random numbers: all of it must be put back.
      const after = begin(definition, setting, given);
      epoch(after.search);
      epoch(after.search);
      scope(() => after.search.loadState(loadTensors(file).tensors, json, 1, loss));
      const rest = finish(after.search);
      after.end();
      expect(rest.epochs).toEqual(whole.epochs.slice(1));
      expect(rest.found).toEqual(whole.found);
    });

    it(`${setting.name}: rejects a state that is of another search`, () => {
      const begun = begin(definition, setting, given);
      expect(() => begun.search.loadState(new Map(), null, 1, 0)).toThrow("the state has no 'generator'");
      begun.end();
    });
  }
}
