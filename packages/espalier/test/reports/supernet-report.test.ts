import { describe, expect, test } from 'vitest';
import type { SupernetRunState } from '../../src/experiments/read-supernet-run.js';
import { accuracy } from '../../src/measures/accuracy.js';
import { loss } from '../../src/measures/loss.js';
import { drawCells } from '../../src/reports/draw-architecture.js';
import { reportSupernet } from '../../src/reports/supernet-report.js';
import type { JournalEvent } from '../../src/runs/journal-event.js';
import { Space } from '../../src/space/space.js';
import { nasBench201 } from '../../src/spaces/nasbench201.js';
import { parseXml } from '../drawing/xml.js';

const cell = (operation: string) =>
  `|${operation}~0|+|${operation}~0|${operation}~1|+|${operation}~0|${operation}~1|${operation}~2|`;
const shares = (skip: number) =>
  Array.from({ length: 6 }, () => [(1 - skip) / 4, skip, (1 - skip) / 4, (1 - skip) / 4, (1 - skip) / 4]);

const epoch = (number: number, more: object = {}): JournalEvent => ({
  event: 'epoch',
  epoch: number,
  loss: 3 / number,
  ...more,
});
const darts = (number: number, skip: number) =>
  epoch(number, {
    validationLoss: 4 / number,
    measures: { accuracy: number / 4, loss: 4 / number },
    architecture: { cell: cell(skip > 0.5 ? 'skip_connect' : 'nor_conv_3x3') },
    weights: { cell: shares(skip) },
  });

const state = (given: Partial<SupernetRunState>): SupernetRunState => ({
  settings: {
    version: '0.2.0',
    space: 'nasbench201',
    spaceOptions: {},
    supernetOptions: {},
    strategy: 'darts',
    strategyOptions: { epochs: 3 },
    task: { name: 'image-classification', data: 'cifar10:data', seed: 1 },
    dataChecksum: 'ab12',
    input: { channels: 3, height: 32, width: 32, classes: 10 },
    objectives: [accuracy, loss],
    seed: 1,
    threads: 1,
  },
  path: 'run',
  from: '.',
  space: Space.configure(nasBench201),
  objectives: [accuracy, loss],
  epochs: [],
  choice: [],
  end: undefined,
  ...given,
});

function read(html: string) {
  const all = (pattern: RegExp) => [...html.matchAll(pattern)].map(([, ...found]) => found);
  // A page is well-formed XML after its first line.
  expect(() => parseXml(html.replace(/^.*\n/, '').trimEnd())).not.toThrow();
  return {
    facts: Object.fromEntries(all(/<dt>(.*?)<\/dt><dd>(.*?)<\/dd>/g)),
    headings: all(/<h2>(.*?)<\/h2>/g).flat(),
    section: (heading: string) =>
      html.split('<section>').find((one) => one.includes(`<h2>${heading}</h2>`)) ?? '',
  };
}

describe('the page of a search along a gradient', () => {
  const cells = drawCells('nasbench201', { cell: cell('skip_connect') });
  const html = reportSupernet(state({ epochs: [darts(1, 0.2), darts(2, 0.4), darts(3, 0.6)] }), cells);
  const { headings, section, facts } = read(html);

  test('shows the cell, accuracy and losses by epoch, the weights and how they came there, and its settings', () => {
    expect(headings).toEqual([
      'What was found',
      'Validation accuracy of the supernet by epoch',
      'Loss by epoch',
      'Weights of the operations after the last epoch',
      'Weights by epoch, the mean of cell',
      'Weights by epoch, each choice of cell',
      'Epochs',
      'The cells after epoch 1',
      'The cells after epoch 3',
      'Settings',
    ]);
    expect(facts).toEqual({
      epochs: '3 of 3',
      'training loss': '1.0000',
      'validation accuracy of the supernet': '75.00%',
    });
    expect(section('What was found')).toContain(cells);
  });

  test('draws losses as lines from epoch to epoch', () => {
    const lines = [...section('Loss by epoch').matchAll(/data-series="(.*?)">.*?<path d="([^"]*)"/gs)];
    expect(lines.map(([, name, path]) => [name, path!.match(/[A-Z]/g)?.join('')])).toEqual([
      ['training', 'MLL'],
      ['validation', 'MLL'],
    ]);
  });

  test('shows the mean weight of each operation after each epoch', () => {
    const mean = section('Weights by epoch, the mean of cell');
    expect(mean).toContain('<title>skip_connect, epoch 2: 0.4</title>');
    expect(mean).toContain('<title>none, epoch 3: 0.1</title>');
  });

  test('shows the weights of each edge after each epoch, with the names of the picture, and what is derived', () => {
    const each = section('Weights by epoch, each choice of cell');
    expect([...each.matchAll(/data-chart="(.*?)"/g)].map(([, name]) => name)).toEqual([
      '0 → 1',
      '0 → 2',
      '1 → 2',
      '0 → 3',
      '1 → 3',
      '2 → 3',
    ]);
    const bold = [...each.matchAll(/data-line="(\w+)" data-emphasised="true"/g)].map(([, name]) => name);
    expect(bold).toEqual(new Array(6).fill('skip_connect'));
  });

  test('frames in the heat map what is derived', () => {
    const map = section('Weights of the operations after the last epoch');
    expect(map.match(/data-marked="true"/g)).toHaveLength(6);
    expect(map).toContain('>2 → 3</text>');
  });

  test('of a search without an epoch has its settings', () => {
    expect(read(reportSupernet(state({}), undefined)).headings).toEqual(['Settings']);
  });
});

describe('the page of random search with shared weights', () => {
  const finalist = (operation: string, score: number, measures: object | null) => ({
    architecture: { cell: cell(operation) },
    score,
    measures,
  });
  const html = reportSupernet(
    state({
      epochs: [epoch(1), epoch(2)],
      choice: [
        {
          event: 'round',
          round: 1,
          scores: [0.25, 0.5, null, 0.125],
          finalists: [
            finalist('none', 0.5, { accuracy: 0.375, loss: 2 }),
            finalist('nor_conv_1x1', 0.25, { accuracy: 0.4375, loss: 1.5 }),
          ],
        },
        {
          event: 'round',
          round: 2,
          scores: [0.25, 0.25, 0.375, 0.125],
          finalists: [finalist('skip_connect', 0.375, null)],
        },
      ] as unknown as JournalEvent[],
      end: {
        event: 'end',
        architecture: { cell: cell('nor_conv_1x1') },
        measures: { accuracy: 0.4375, loss: 1.5 },
      },
    }),
    undefined,
  );
  const { headings, section } = read(html);

  test('shows the scores of all candidates, and of the finalists what they measured on all data', () => {
    expect(headings).toEqual([
      'Loss by epoch',
      'Scores of the candidates',
      'Finalists: score and measure',
      'Finalists',
      'Epochs',
      'Settings',
    ]);
    const scores = section('Scores of the candidates');
    expect(scores).toContain('8 architectures were drawn in 2 rounds');
    expect(scores).toContain('1 gave numbers that are not finite');
    const counts = [...scores.matchAll(/data-count="(\d+)"/g)].map(([, count]) => Number(count));
    expect(counts.reduce((sum, one) => sum + one)).toBe(7);
    expect(scores).toContain('the one that was chosen: 25.00%');
  });

  test('says which finalist was chosen', () => {
    const dots = [...section('Finalists: score and measure').matchAll(/<title>(.*?)<\/title><\/circle>/g)];
    expect(dots.map(([, text]) => text)).toEqual([
      'round 1: 50.00% on a part, 37.50% on all',
      'chosen: round 1: 25.00% on a part, 43.75% on all',
    ]);
    const rows = [...section('Finalists').matchAll(/<tr( class="emphasised")?>(<td.*?)<\/tr>/g)];
    expect(
      rows.map(([, mark, row]) => [
        mark !== undefined,
        ...[...row!.matchAll(/<td[^>]*>([^<]*)</g)].slice(0, 4).map(([, text]) => text),
      ]),
    ).toEqual([
      [false, '1', '50.00%', '37.50%', '2'],
      [true, '1', '25.00%', '43.75%', '1.5'],
      [false, '2', '37.50%', 'not finite', 'not finite'],
    ]);
    expect(rows[1]![2]).toContain(
      `<td class="long">cell ${new Array(6).fill('nor_conv_1x1').join(' ')}</td>`,
    );
  });
});
