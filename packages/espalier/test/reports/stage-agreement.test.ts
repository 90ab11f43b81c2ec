import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { addCompare } from '../../src/cli/compare.js';
import { architectureFile } from '../../src/experiments/found-architecture.js';
import type { Json } from '../../src/json.js';
import { findArchitecture, resultOf } from '../../src/kinds/kinds-of-run.js';
import { stageAgreements, stagesOf } from '../../src/reports/stage-agreement.js';
import { toArchitectureFile } from '../../src/space/architecture-file.js';
import { Space } from '../../src/space/space.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { printed } from '../cli/printed.js';
import { temporaryFolder } from '../runs/temporary-folder.js';
import { searchEvents, trainingEvent, writeRun } from './journals.js';

// Of four children, by hand: after epoch 1 with after epoch 4, 2 pairs in the same order and 4 in the opposite
// (table 7 of Li & Talwalkar 2019, as accuracies); after epoch 2 all 6 in the same order.
const CHILDREN = [
  [0.0763, 0.292, 0.3, 0.292],
  [0.0767, 0.277, 0.3, 0.277],
  [0.0838, 0.3, 0.3, 0.3],
  [0.0751, 0.305, 0.3, 0.305],
];

describe('the agreement of stages', () => {
  test("of children is Kendall's tau of the epochs 1, 2, 4, ... with the last", async () => {
    const folder = temporaryFolder();
    const search = resultOf(
      writeRun(folder, searchEvents({ strategy: 'random', seed: 1, children: CHILDREN })),
    );
    expect(stageAgreements(await stagesOf([search], findArchitecture))).toEqual([
      {
        method: 'random',
        first: 'children after epoch 1',
        second: 'after epoch 4',
        networks: 4,
        tau: -2 / 6,
      },
      { method: 'random', first: 'children after epoch 2', second: 'after epoch 4', networks: 4, tau: 1 },
    ]);
  });

  test('of searches compares the values they found with those after training', async () => {
    const folder = temporaryFolder();
    const paths: string[] = [];
    // The best child is the second, third or first one: three architectures, found with 0.3, 0.4 and 0.5.
    for (const [seed, children] of [
      [[0.1], [0.3], [0.2]],
      [[0.1], [0.3], [0.4]],
      [[0.5], [0.3], [0.2]],
    ].entries())
      paths.push(
        writeRun(
          join(folder, `s${seed}`),
          searchEvents({
            strategy: 'random',
            seed,
            children,
            settings: { spaceOptions: { layers: 1, filters: [4, 6] } },
          }),
        ),
      );
    for (const [seed, accuracy] of [0.7, 0.9, 0.8].entries()) {
      const architecture = architectureFile(await findArchitecture(paths[seed] as string));
      paths.push(
        writeRun(join(folder, `t${seed}`), [
          trainingEvent(architecture as unknown as Json),
          { event: 'end', judge: 'test', measures: { accuracy, loss: 1 } },
        ]),
      );
    }
    const staged = await stagesOf(paths.map(resultOf), findArchitecture);
    expect(staged.results.slice(3).map(({ strategy, label }) => [strategy, label])).toEqual([
      ['random', '0/1'],
      ['random', '1/1'],
      ['random', '2/1'],
    ]);
    // 0.3, 0.4, 0.5 and 0.7, 0.9, 0.8: one pair of three is turned round.
    expect(stageAgreements(staged)).toEqual([
      {
        method: 'all searches',
        first: 'validation accuracy',
        second: 'test accuracy once trained',
        networks: 3,
        tau: 1 / 3,
      },
    ]);
    const page = join(folder, 'page.html');
    const json = JSON.parse(await printed(addCompare, ['compare', ...paths, '--out', page, '--json']));
    expect(json).toMatchObject({
      report: page,
      comparisons: [
        { measure: 'validation accuracy', methods: [{ name: 'random', n: 3, best: 0.5 }] },
        {
          measure: 'test accuracy',
          methods: [
            {
              name: 'random',
              n: 3,
              mean: expect.closeTo(0.8, 12),
              deviation: expect.closeTo(0.1, 12),
              against: null,
            },
          ],
        },
      ],
      agreements: [{ tau: 1 / 3 }],
    });
    const text = await printed(addCompare, ['compare', ...paths, '--out', page]);
    expect(text).toContain('random      3  80.00%     10.00%  90.00%  70.00%');
    cpSync(paths[0] as string, join(folder, 'copy'), { recursive: true });
    await expect(printed(addCompare, ['compare', ...paths, join(folder, 'copy')])).rejects.toThrow(
      'they are one run, not two samples',
    );
  });

  test('keeps a training of another architecture apart', async () => {
    const space = Space.configure(zophCnn, { layers: 1 });
    const architecture = toArchitectureFile(space, space.decode([0, 0, 0, []]));
    const path = writeRun(temporaryFolder(), [
      trainingEvent(architecture as unknown as Json, { seed: 4 }),
      { event: 'end', measures: { accuracy: 0.5 } },
    ]);
    const staged = await stagesOf([resultOf(path)], findArchitecture);
    expect(staged.trained).toEqual([]);
    expect(staged.results).toMatchObject([{ strategy: null, label: '4' }]);
  });
});
