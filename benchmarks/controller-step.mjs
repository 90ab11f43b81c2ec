/**
 * A REINFORCE update of the controller of Zoph & Le 2016 (sections 3.2 and 4.1): it samples eight networks of their space
 * and takes a step of Adam on their rewards. Both sides compare the entropy of the answers, which changes with every update.
 */
import { fromHost } from '../packages/espalier/dist/controller/host-tensors.js';
import { accuracy, Space, spaces, strategies } from '../packages/espalier/dist/index.js';
import { Random } from '../packages/espalier/dist/random/random.js';
import { resolveOptions } from '../packages/espalier/dist/space/options.js';
import { saveTensors, scope } from '../packages/torch/dist/index.js';

/** @type {import('./driver/load-benchmark.mjs').Benchmark} */
export default {
  settings: { layers: 15, children: 8, hidden: 35, learningRate: 6e-4, drawn: true },
  checked: { learningRate: 0.01, drawn: false },
  unit: 'step',
  rounds: 9,
  // Many steps, because the first ones include just-in-time compilation, which is negligible in a search.
  steps: 20,
  layouts: ['default'],
  targets: {},

  prepare({ layers, children, hidden, learningRate, drawn }, startFile) {
    const space = Space.configure(spaces.get('zoph-cnn'), { layers });
    const { options: schema, create } = strategies.get('reinforce');
    const given = { children, hidden, learningRate, growEvery: 0 };
    const options = resolveOptions('reinforce', schema, given);
    const begin = () => create({ space, seed: 1, options, objectives: [accuracy] });

    // Heads are created when their question is first asked. Their initial parameters depend only on the seed and their name.
    const first = begin();
    first.ask();
    const random = Random.of(1, 'sequences');
    const sequences = Array.from({ length: children }, () => space.sample(random));
    const accuracies = sequences.map(() => random.uniform());
    const questions = space.trace(sequences[0]).map(({ question }) => ({
      kind: question.kind,
      path: question.path,
      options: question.options?.length ?? 0,
    }));
    scope(() =>
      saveTensors(startFile, fromHost(first.snapshot().tensors, 'controller.'), {
        sequences: JSON.stringify(sequences),
        accuracies: JSON.stringify(accuracies),
        questions: JSON.stringify(questions),
      }),
    );

    const strategy = begin();
    let trial = 0;
    return () => {
      const asked = Array.from({ length: children }, () => strategy.ask());
      const events = asked.flatMap((proposal, child) => {
        const answers = drawn ? proposal.answers : sequences[child];
        const outcome = { status: 'ok', value: accuracies[child], measures: { accuracy: accuracies[child] } };
        return strategy.tell({ ...proposal, answers, trial: trial++, outcome });
      });
      return events[0].entropy;
    };
  },
};
