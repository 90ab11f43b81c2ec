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
import { imageClassification } from '../../src/tasks/image-classification/definition.js';
import { languageModelling } from '../../src/tasks/language-modelling/definition.js';
import { LanguageModelling } from '../../src/tasks/language-modelling/language-modelling.js';
import type { Task } from '../../src/tasks/task.js';
import type { AnyTaskDefinition } from '../../src/tasks/task-definition.js';
import { initialised } from '../../src/training/train-child.js';
import type { AnyWeightSharingDefinition } from '../../src/weight-sharing/definition.js';
import type { SearchedSupernet, SupernetSearch } from '../../src/weight-sharing/supernet-search.js';
import { temporaryFolder } from '../runs/temporary-folder.js';
import { classify, settingsOf, tinyTask } from '../training/tiny-task.js';

setThreads(1);

/** Eight words in a cycle; every few words one is out of place. */
const text = (count: number, astray: number) =>
  Int32Array.from({ length: count }, (_, i) => (i % astray === 0 ? (3 * i) % 8 : i % 8));

/** A text of 8 words: 80 training tokens, 40 for validation and for the test. */
export const tinyText = {
  level: 'word' as const,
  train: text(80, 7),
  validation: text(40, 5),
  test: text(40, 6),
};

const language = new LanguageModelling(tinyText, {
  bptt: 5,
  activationAlpha: 0,
  activationBeta: 1e-3,
  device: 'cpu',
});

/** A small supernet of a space, on a small task. */
export interface Setting {
  readonly name: string;
  readonly space: Space;
  readonly task: Task<object>;
  readonly definition: AnyTaskDefinition;
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
    definition: imageClassification,
    build: () => buildSupernet(cells, tinyTask.shape),
  },
  {
    name: 'nasbench201',
    space: table,
    task: classify(settingsOf()),
    definition: imageClassification,
    build: () => buildSupernet(table, tinyTask.shape),
  },
  {
    name: 'darts-rnn',
    space: recurrent,
    task: language,
    definition: languageModelling,
    build: () => buildLanguageSupernet(recurrent, { vocabulary: 8 }),
  },
];

/** A search on a small supernet. */
export interface Begun {
  readonly search: SupernetSearch<object>;
  readonly supernet: SearchedSupernet<object>;
  /** Frees both. */
  end(): void;
}

/** A search before its first epoch. */
export function begin(
  definition: AnyWeightSharingDefinition,
  { space, task, definition: taskDefinition, build }: Setting,
  given: Readonly<Record<string, Json>> = {},
  seed = 1,
): Begun {
  const readsImages = taskDefinition === imageClassification;
  const options = resolveOptions('options', definition.options(taskDefinition), {
    epochs: 2,
    batchSize: readsImages ? 6 : 4,
    ...(!readsImages ? { learningRate: 1, finalLearningRate: 1 } : {}),
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

/** Runs one epoch: the losses of its steps, and its result. */
export function epoch(search: SupernetSearch<object>) {
  const losses = [...search.trainEpoch()].map(({ loss }) => loss);
  return { losses, result: search.endEpoch() };
}

/** Runs all epochs, then the choice. */
export function finish(search: SupernetSearch<object>) {
  const epochs = [];
  while (!search.trained) epochs.push(epoch(search));
  const choice = search.choose();
  let next = choice.next();
  while (!next.done) next = choice.next();
  return { epochs, found: next.value };
}

/** Saves a search and ends it. @returns a function that loads what was saved into another search */
export function saved({ search, end }: Begun): (into: Begun) => void {
  const file = join(temporaryFolder(), 'state.safetensors');
  const { epoch, lastLoss } = search;
  scope(() => saveTensors(file, search.stateDict()));
  const json = JSON.parse(JSON.stringify(search.stateJson())) as Json;
  end();
  return (into) => scope(() => into.search.loadState(loadTensors(file).tensors, json, epoch, lastLoss));
}

/** Tests what every strategy that shares weights must do, on every kind of supernet. */
export function conforms(
  definition: AnyWeightSharingDefinition,
  given: Readonly<Record<string, Json>> = {},
): void {
  for (const setting of settings) {
    it(`${setting.name}: finds an architecture of the space, the same one for the same seed`, () => {
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

    it(`${setting.name}: continues from what was saved after an epoch as if it had never stopped`, () => {
      const undisturbed = begin(definition, setting, given);
      const whole = finish(undisturbed.search);
      undisturbed.end();

      const before = begin(definition, setting, given);
      epoch(before.search);
      const load = saved(before);

      // Two epochs on: all weights and random numbers must be restored.
      const after = begin(definition, setting, given);
      epoch(after.search);
      epoch(after.search);
      load(after);
      const rest = finish(after.search);
      after.end();
      expect(rest.epochs).toEqual(whole.epochs.slice(1));
      expect(rest.found).toEqual(whole.found);
    });

    it(`${setting.name}: rejects the state of another search`, () => {
      const begun = begin(definition, setting, given);
      expect(() => begun.search.loadState(new Map(), null, 1, 0)).toThrow("the state has no 'generator'");
      begun.end();
    });
  }
}
