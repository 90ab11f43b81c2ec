import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readRun } from '../../src/experiments/found-architecture.js';
import { accuracy } from '../../src/measures/accuracy.js';
import { loss } from '../../src/measures/loss.js';
import { perplexity } from '../../src/measures/perplexity.js';
import { recentAverage, reportSearch } from '../../src/reports/search-report.js';
import type { JournalEvent } from '../../src/runs/journal-event.js';
import { temporaryFolder } from '../runs/temporary-folder.js';
import { searchEvents, writeRun } from './journals.js';

const read = (events: readonly JournalEvent[]) => readRun(writeRun(join(temporaryFolder(), 'run'), events));

/** Facts, headings and the rows of the table of children. */
function contents(page: string) {
  const all = (pattern: RegExp) => [...page.matchAll(pattern)].map(([, ...found]) => found);
  const cells = (row: string) =>
    [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell]) =>
      cell!.replaceAll('<wbr/>', '').replace(/<svg.*?<title>(.*?)<\/title>.*<\/svg>\s*/s, '[$1]'),
    );
  const children = page.match(/<h2>Children<\/h2>.*?<table[^>]*>(.*?)<\/table>/s)?.[1] ?? '';
  return {
    title: all(/<h1>(.*?)<\/h1>/g).flat()[0],
    facts: Object.fromEntries(all(/<dt>(.*?)<\/dt><dd>(.*?)<\/dd>/g)),
    headings: all(/<h2>(.*?)<\/h2>/g).flat(),
    children: [...children.matchAll(/<tr[^>]*>(.*?)<\/tr>/gs)].map(([, row]) => cells(row as string)),
  };
}

/** The events with more measures of each child that was measured. */
const withMeasures = (events: readonly JournalEvent[], more: Readonly<Record<string, number>>) =>
  events.map((event) =>
    event.status === 'ok' ? { ...event, measures: { ...(event.measures as object), ...more } } : event,
  ) as JournalEvent[];

describe('the page of a search', () => {
  test('shows the best child with its other measures, all children, and the network layer by layer', async () => {
    const events = withMeasures(
      searchEvents({
        strategy: 'random',
        seed: 7,
        children: [[0.25], null, [0.75, 0.5]],
        objectives: [accuracy, loss],
      }),
      { loss: 0.31234, params: 58122, macs: 1234567, latency: Math.PI },
    );
    const { html, network, curve } = await reportSearch(await read(events));
    const { title, facts, headings, children } = contents(html);
    expect(title).toBe('Search: random on zoph-cnn, mnist');
    expect(facts).toEqual({
      'children measured': '2 of 3',
      failed: '1',
      cost: '6 epochs',
      'best validation accuracy': '75.00%',
      'best child': '3',
      'validation loss': '0.3123',
      parameters: '58,122',
      'multiply-adds': '1,234,567',
      latency: '3.142',
    });
    expect(headings).toEqual([
      'Accuracy by child',
      'The best network',
      'Learning curves',
      'Children',
      'Settings',
    ]);
    const [first, ...rows] = children.map((row) => row.slice(0, 7));
    expect(first).toEqual([
      ...['child', 'accuracy', 'validation loss', 'parameters', 'multiply-adds', 'latency'],
      'accuracy by epoch',
    ]);
    const curve1 = '[child 1: 25.00% after epoch 1, 25.00% after epoch 1]';
    const curve3 = '[child 3: 75.00% after epoch 1, 50.00% after epoch 2]';
    expect(rows).toEqual([
      ['1', '25.00%', '0.3123', '58,122', '1,234,567', '3.142', curve1],
      ['2', 'failed', '', '', '', '', ''],
      ['3', '75.00%', '0.3123', '58,122', '1,234,567', '3.142', curve3],
    ]);
    expect(html).toContain('<p>Child 3: validation accuracy 75.00%.</p>');
    // The row of the best child stands out.
    expect(html.match(/<tr class="emphasised"><td[^>]*>3</g)).toHaveLength(1);
    expect(network).toContain('<svg');
    expect(curve).toContain('Accuracy by child');
  });

  test('shows the choices of each child with their values, a column each where they are few', async () => {
    const events = searchEvents({ strategy: 'random', seed: 7, children: [[0.25], null, [0.75]] });
    const { children } = contents((await reportSearch(await read(events))).html);
    expect(children).toEqual([
      [...['child', 'accuracy', 'filterHeight', 'filterWidth', 'filters'], 'failed because'],
      // A layer without layers before it has no choice of inputs.
      ['1', '25.00%', '1', '1', '24', ''],
      ['2', 'failed', '3', '1', '24', 'diverged'],
      ['3', '75.00%', '5', '1', '24', ''],
    ]);
  });

  test('shows the values of all places with a name beside each other', async () => {
    const rowOf = async (spaceOptions: object, answers: readonly unknown[]) => {
      const settings = { spaceOptions };
      const [begin, , result, end] = searchEvents({
        strategy: 'random',
        seed: 7,
        children: [[0.25]],
        settings,
      });
      const trial = { event: 'trial', trial: 0, answers, seed: 0 } as unknown as JournalEvent;
      const run = await read([begin, trial, result, end] as JournalEvent[]);
      return contents((await reportSearch(run)).html).children.map((row) => row.slice(2));
    };
    const two = { layers: 2 };
    expect(await rowOf(two, [1, 0, 3, [], 0, 2, 1, [0]])).toEqual([
      ['filterHeight', 'filterWidth', 'filters', 'inputs'],
      ['3 1', '1 5', '64 36', '[0]'],
    ]);
  });

  test('has as many columns as a page has room for: then choices, and at last measures, share one', async () => {
    const columnsWith = async (measures: number) => {
      const more = Object.fromEntries(
        Array.from({ length: measures }, (_, index) => [`latency_${index}`, 1000 * (index + 1)]),
      );
      const settings = {
        spaceOptions: { layers: 2, strides: [1, 2], layerTypes: ['convolution', 'max_pool'] },
      };
      const all = searchEvents({ strategy: 'random', seed: 7, children: [[0.25]], settings });
      const answers = [0, 1, 0, 1, 0, 3, [], 1, 1, 0, [0]];
      const events = withMeasures(
        all.map((event) => (event.event === 'trial' ? { ...event, answers } : event)) as JournalEvent[],
        more,
      );
      const { html } = await reportSearch(await read(events));
      return contents(html).children;
    };
    const names = ['type', 'filterHeight', 'filterWidth', 'strideHeight', 'strideWidth', 'filters'];
    expect(await columnsWith(1)).toEqual([
      ['child', 'accuracy', 'latency_0', ...names, 'window', 'stride', 'inputs'],
      [...['1', '25.00%', '1000', 'convolution max_pool', '3', '1', '2', '1', '64', '3', '1', '[0]']],
    ]);
    const latencies = (count: number) => Array.from({ length: count }, (_, index) => `latency_${index}`);
    const [some, row] = await columnsWith(8);
    expect(some).toEqual(['child', 'accuracy', ...latencies(8), 'choices']);
    expect(row!.at(-1)).toBe(
      'type convolution max_pool; filterHeight 3; filterWidth 1; strideHeight 2; strideWidth 1; filters 64; ' +
        'window 3; stride 1; inputs [0]',
    );
    const [many, values] = await columnsWith(14);
    expect(many).toEqual(['child', 'accuracy', 'latency_0', 'latency_1', 'other measures', 'choices']);
    expect(values!.at(-2)).toBe(
      latencies(14)
        .slice(2)
        .map((name, index) => `${name} ${1000 * (index + 3)}`)
        .join('; '),
    );
  });

  test('shows accuracy by parameters where networks differ in size, and rings the best', async () => {
    const events = searchEvents({ strategy: 'random', seed: 7, children: [[0.25], null, [0.75]] }).map(
      (event) =>
        event.status === 'ok'
          ? { ...event, measures: { ...(event.measures as object), params: 1000 + Number(event.trial) } }
          : event,
    ) as JournalEvent[];
    const { html } = await reportSearch(await read(events));
    expect(contents(html).headings).toContain('Accuracy by parameters');
    expect([...html.matchAll(/data-point=""[^>]*><title>(.*?)<\/title>/g)].map(([, name]) => name)).toEqual([
      'child 1: accuracy 25.00%, 1,000 parameters',
      'best: child 3: accuracy 75.00%, 1,002 parameters',
    ]);
    expect(html.match(/data-emphasised="true"/g)).toHaveLength(1);
  });

  test('plots how stale the gradients of each update were, where some were', async () => {
    const events = searchEvents({ strategy: 'reinforce', seed: 7, children: [[0.5], [0.25]] });
    const withUpdates = (...staleness: number[][]) => [
      ...events.slice(0, -1),
      ...staleness.map((each, index) => ({ event: 'update', update: index + 1, staleness: each })),
      ...events.slice(-1),
    ];
    const pageOf = async (...staleness: number[][]) =>
      (await reportSearch(await read(withUpdates(...staleness)))).html;
    expect(contents(await pageOf([0], [0])).headings).not.toContain('Staleness');
    const page = await pageOf([0, 2], [1, 3]);
    expect(contents(page).headings).toContain('Staleness');
    // The mean of the last update.
    expect(page).toContain('staleness: 2');
  });

  test('takes the lowest perplexity as the best', async () => {
    const children = [[64.5], [61.25], [63]];
    const run = await read(searchEvents({ strategy: 'random', seed: 7, children, objectives: [perplexity] }));
    const { facts } = contents((await reportSearch(run)).html);
    expect(facts).toMatchObject({ 'best validation perplexity': '61.25', 'best child': '2' });
    expect(recentAverage(run.state)).toBeCloseTo((64.5 + 61.25 + 63) / 3, 12);
  });

  test('with an estimator that builds no networks shows none, and names files without their folders', async () => {
    const estimation = { estimator: './mine/latency.ts', checksum: 'ab', options: {} };
    const events = searchEvents({ strategy: 'random', seed: 7, children: [[0.5]], settings: { estimation } });
    const { html, network } = await reportSearch(await read(events));
    expect(network).toBeUndefined();
    const { title, facts, headings } = contents(html);
    expect(title).toBe('Search: random on zoph-cnn, latency');
    expect(facts).not.toHaveProperty('cost');
    expect(headings).toEqual(['Accuracy by child', 'Children', 'Settings']);
  });

  test('of a search without results has no best child', async () => {
    const [begin] = searchEvents({ strategy: 'random', seed: 7, children: [[0.5]] });
    const run = await read([begin as JournalEvent]);
    const { facts, headings } = contents((await reportSearch(run)).html);
    expect(facts).toEqual({ 'children measured': '0 of 1', failed: '0', cost: '0 epochs' });
    expect(headings).toEqual(['Accuracy by child', 'Children', 'Settings']);
    expect(recentAverage(run.state)).toBeUndefined();
  });

  test('of a search that promotes children counts trainings, and has a table of rungs', async () => {
    const [begin] = searchEvents({ strategy: 'asha', seed: 7, children: [[0.5]], settings: { trials: 9 } });
    const trial = (number: number, more: object, value: number): JournalEvent[] => [
      { event: 'trial', trial: number, answers: [number % 2, 0, 0, []], seed: number % 2, ...more },
      {
        event: 'result',
        trial: number,
        status: 'ok',
        measures: { accuracy: value },
        cost: 1,
        epochs: [{ epoch: 1, measures: { accuracy: value } }],
      },
    ];
    const events = [
      begin as JournalEvent,
      ...trial(0, { epochs: 1 }, 0.25),
      ...trial(1, { epochs: 1 }, 0.5),
      { event: 'trial', trial: 2, answers: [1, 0, 0, []], seed: 1, epochs: 3, continues: 1 },
      {
        event: 'result',
        trial: 2,
        status: 'ok',
        measures: { accuracy: 0.75 },
        cost: 2,
        epochs: [0.5, 0.625, 0.75].map((accuracy, place) => ({ epoch: place + 1, measures: { accuracy } })),
      },
    ] as JournalEvent[];
    const { html } = await reportSearch(await read(events));
    const { facts, headings, children } = contents(html);
    expect(facts).toMatchObject({
      trainings: '3 of 9',
      children: '2',
      cost: '4 epochs',
      'best child': '2 after 3 epochs',
      'rung of the best': '2 of 2',
    });
    expect(headings).toEqual([
      'Accuracy by training',
      'Rungs',
      'The best network',
      'Learning curves',
      'Children',
      'Settings',
    ]);
    expect(html).toContain(
      '<p>Child 2 after 3 epochs: validation accuracy 75.00%, the best of all rungs.</p>',
    );
    // A child is one row, with its last training.
    expect(children.map((row) => row.slice(0, 3))).toEqual([
      ['child', 'epochs', 'accuracy'],
      ['1', '1', '25.00%'],
      ['2', '3', '75.00%'],
    ]);
    // Rungs have the same colours in all pictures.
    const groups = [...html.matchAll(/data-group="([^"]*)" class="stroke-([\w-]+)/g)];
    expect(groups.map(([, name, colour]) => [name, colour])).toEqual([
      ['after 1 epoch', 'axis'],
      ['after 3 epochs', 'series-3'],
    ]);
    expect(html).toContain('best so far: 0.75 at training 3, after 3 epochs');
    const lines = [...html.matchAll(/<g data-series="([^"]*)"([^>]*)>.*?class="stroke-([\w-]+)"/gs)];
    expect(lines.map(([, name, , colour]) => [name, colour])).toEqual([
      ['child 1', 'axis'],
      ['child 2, the best', 'series-1'],
    ]);
  });
});
