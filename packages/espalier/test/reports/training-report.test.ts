import { describe, expect, test } from 'vitest';
import type { Svg } from '../../src/drawing/svg.js';
import type { TrainingRunSettings } from '../../src/experiments/training-run-settings.js';
import { dartsV2 } from '../../src/hub/darts-v2.js';
import { accuracy } from '../../src/measures/accuracy.js';
import { loss } from '../../src/measures/loss.js';
import { miou } from '../../src/measures/miou.js';
import { perplexity } from '../../src/measures/perplexity.js';
import { drawCells } from '../../src/reports/draw-architecture.js';
import { reportTraining } from '../../src/reports/training-report.js';
import type { JournalEvent } from '../../src/runs/journal-event.js';
import { parseXml } from '../drawing/xml.js';

const settings: TrainingRunSettings = {
  version: '0.2.0',
  architecture: { space: 'darts-cnn', normal: [] },
  task: { name: 'image-classification', data: 'cifar10:data/cifar', seed: 1 },
  dataChecksum: 'ab12',
  input: { channels: 3, height: 32, width: 32, classes: 10 },
  signature: 'ef56',
  objectives: [accuracy, loss],
  training: { epochs: 3, schedule: 'cosine' },
  seed: 4,
  threads: 2,
};
const begin: JournalEvent = { event: 'train' };
const epoch = (number: number, measures?: Readonly<Record<string, number>>): JournalEvent => ({
  event: 'epoch',
  epoch: number,
  loss: 2 / number,
  ...(measures === undefined ? {} : { measures }),
});
const end: JournalEvent = {
  event: 'end',
  judge: 'test',
  measures: { accuracy: 0.9321, loss: 0.25314, mystery: 1234.5 },
  loss: 2 / 3,
};

/** Headings, facts and pictures of a page. */
function read(page: string) {
  const all = (pattern: RegExp) => [...page.matchAll(pattern)].map(([, ...found]) => found);
  return {
    title: all(/<h1>(.*?)<\/h1>/g).flat()[0],
    facts: all(/<dt>(.*?)<\/dt><dd>(.*?)<\/dd>/g),
    headings: all(/<h2>(.*?)<\/h2>/g).flat(),
    pictures: all(/<svg[^>]*>\s*<title>(.*?)<\/title>/g).flat(),
    rows: all(/<tr><td>(.*?)<\/td><td>(.*?)<\/td><\/tr>/g),
  };
}

describe('the page of a training', () => {
  test('shows the measures on the test data, each in its own format, and the loss by epoch', () => {
    const page = reportTraining(settings, [begin, epoch(1), epoch(2), epoch(3), end]);
    expect(read(page)).toEqual({
      title: 'Training: darts-cnn, cifar10',
      facts: [
        ['epochs', '3 of 3'],
        ['test accuracy', '93.21%'],
        ['test loss', '0.2531'],
        ['test mystery', '1235'],
        ['training loss', '0.6667'],
      ],
      headings: ['Training loss by epoch', 'Settings'],
      pictures: ['Training loss by epoch'],
      rows: [
        ['version', '0.2.0'],
        ['task.name', 'image-classification'],
        ['task.data', 'cifar10:data/cifar'],
        ['task.seed', '1'],
        ['dataChecksum', 'ab12'],
        ['input.channels', '3'],
        ['input.height', '32'],
        ['input.width', '32'],
        ['input.classes', '10'],
        ['signature', 'ef56'],
        ['objectives', expect.stringContaining('accuracy')],
        ['training.epochs', '3'],
        ['training.schedule', 'cosine'],
        ['seed', '4'],
        ['threads', '2'],
      ],
    });
    // A page is well-formed XML after its first line.
    expect(() => parseXml(page.replace(/^.*\n/, ''))).not.toThrow();
  });

  test('shows the validation measure by epoch if the training was validated', () => {
    const validated = { ...settings, objectives: [perplexity, loss] as never, judge: 'validation' as const };
    const perplexities = [80, 64.5, 61.25].map((value, place) => epoch(place + 1, { perplexity: value }));
    const page = reportTraining(validated, [
      begin,
      ...perplexities,
      { event: 'end', measures: { perplexity: 61.25, loss: Math.log(61.25) } },
    ]);
    const { facts, headings, pictures } = read(page);
    expect(facts).toEqual([
      ['epochs', '3 of 3'],
      ['validation perplexity', '61.25'],
      ['validation loss', '4.115'],
      ['training loss', '0.6667'],
    ]);
    expect(headings).toEqual(['Training loss by epoch', 'Validation perplexity by epoch', 'Settings']);
    expect(pictures).toEqual(['Training loss by epoch', 'Validation perplexity by epoch']);
  });

  test('of an unfinished training shows its epochs and no measures', () => {
    const { facts, headings } = read(reportTraining(settings, [begin, epoch(1)]));
    expect(facts).toEqual([
      ['epochs', '1 of 3'],
      ['training loss', '2.0000'],
    ]);
    expect(headings).toEqual(['Training loss by epoch', 'Settings']);
    expect(read(reportTraining(settings, [begin])).headings).toEqual(['Settings']);
  });

  test("shows a measure of a user's task as the task says", () => {
    const miou = { name: 'miou', better: 'higher', shown: 'percent' } as const;
    const page = reportTraining({ ...settings, objectives: [miou] }, [
      begin,
      epoch(1),
      { event: 'end', measures: { miou: 0.44123 } },
    ]);
    expect(read(page).facts).toContainEqual(['test miou', '44.12%']);
  });

  test('draws losses as lines through the epochs', () => {
    const page = reportTraining(settings, [begin, epoch(1), epoch(2), epoch(3)]);
    // From 2 at epoch 1 over 1 to 2 / 3, straight from point to point.
    const [, path] = /<g data-series="training loss">.*?<path d="([^"]*)"/s.exec(page)!;
    expect(path!.match(/[ML]/g)).toEqual(['M', 'L', 'L']);
  });

  test('shows which classes were taken for which, by their names', () => {
    const details = {
      confusion: [
        [0, 0, 6],
        [0, 1, 2],
        [1, 1, 4],
        [2, 1, 3],
        [2, 2, 1],
      ],
    };
    const page = reportTraining(settings, [begin, epoch(1), { ...end, details }], {
      classes: ['cat', 'dog', '<fox>'],
    });
    const { headings, pictures } = read(page);
    expect(headings).toEqual([
      'Training loss by epoch',
      'Confusion matrix on the test data',
      'Classes on the test data',
      'Settings',
    ]);
    expect(pictures).toContain('Confusion matrix on the test data');
    const rows = [...page.matchAll(/<tr>((?:<td[^>]*>[^<]*<\/td>){5})<\/tr>/g)].map(([, row]) =>
      [...row!.matchAll(/<td[^>]*>([^<]*)</g)].map(([, text]) => text),
    );
    expect(rows).toEqual([
      ['cat', '8', '75.00%', '100.00%', 'dog (2)'],
      ['dog', '4', '100.00%', '44.44%', ''],
      ['&lt;fox&gt;', '4', '25.00%', '100.00%', 'dog (3)'],
    ]);
  });

  test('shows many classes in the table only', () => {
    const details = { confusion: Array.from({ length: 21 }, (_, label) => [label, label, 1]) };
    const { headings } = read(reportTraining(settings, [begin, { ...end, details }]));
    expect(headings).toEqual(['Classes on the test data', 'Settings']);
  });

  test('says whose weights it ends with, and with which it began', () => {
    const page = reportTraining(settings, [begin, epoch(1), epoch(2)], { bestEpoch: 1, start: 'runs/first' });
    expect(read(page).facts).toEqual([
      ['epochs', '2 of 3'],
      ['training loss', '1.0000'],
      ['weights of', 'epoch 1, the best'],
      ['begun with the weights of', 'runs/first'],
    ]);
  });

  test('shows the network, or why it cannot', () => {
    const notDrawn = 'It cannot be drawn: its file is gone.';
    expect(reportTraining(settings, [begin], { notDrawn })).toContain(`<p>${notDrawn}</p>`);
    const network = drawCells('darts-cnn', dartsV2.architecture) as Svg;
    expect(reportTraining(settings, [begin], { network })).toContain(network);
  });

  test("names a user's space by its file, without the folder", () => {
    const own = { ...settings, architecture: { space: './spaces/own-cnn.ts' } };
    expect(read(reportTraining(own, [begin])).title).toBe('Training: own-cnn.ts, cifar10');
  });

  test('of a segmenter shows a value by class, the confusion in percent of pixels, and samples', () => {
    const segmented: JournalEvent = {
      ...end,
      measures: { miou: 0.5 },
      details: {
        confusion: [
          [0, 0, 30],
          [0, 1, 10],
          [1, 1, 20],
        ],
        iou: [0.75, 0.6666, null],
      },
    };
    // The header of a PNG file of 7 x 3 pixels.
    const png = Buffer.alloc(24);
    png.writeUInt32BE(7, 16);
    png.writeUInt32BE(3, 20);
    const page = reportTraining({ ...settings, objectives: [miou, loss] }, [begin, epoch(1), segmented], {
      classes: ['sky', 'road', 'car'],
      samples: [{ name: 'scene', png }],
    });
    const { facts, headings } = read(page);
    expect(facts).toContainEqual(['test miou', '50.00%']);
    expect(headings).toContain('Predictions on the test data');
    expect(page).toContain('the numbers are percent of its pixels');
    expect(page).toMatch(/data-actual="0" data-predicted="1"[\s\S]*?>25<\/text>/);
    expect(page).toContain('50 of 60 right');
    const cells = [...page.matchAll(/<tr><td>(sky|road|car)<\/td>(.*?)<\/tr>/g)].map(([, name, rest]) => [
      name,
      ...[...rest!.matchAll(/<td[^>]*>(.*?)<\/td>/g)].map(([, text]) => text),
    ]);
    expect(cells).toEqual([
      ['sky', '40', '75.00%', '75.00%', '100.00%', 'road (10)'],
      ['road', '20', '66.66%', '100.00%', '66.67%', ''],
      ['car', '0', '', '', '', ''],
    ]);
    expect(page).toMatch(
      /<image x="20" y="44" width="7" height="3" href="data:image\/png;base64,[A-Za-z0-9+/=]+">/,
    );
    // Pictures of pixels are the only thing that the page shows besides itself.
    expect(page).toContain(
      "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src ",
    );
    expect(reportTraining(settings, [begin, epoch(1), end])).not.toContain('img-src');
    parseXml(page.slice(page.indexOf('<html')));
  });
});
