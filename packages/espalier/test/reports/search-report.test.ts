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
  const cells = (row: string) => [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/g)].map(([, cell]) => cell);
  const children = page.match(/<h2>Children<\/h2>.*?<table>(.*?)<\/table>/s)?.[1] ?? '';
  return {
    title: all(/<h1>(.*?)<\/h1>/g).flat()[0],
    facts: Object.fromEntries(all(/<dt>(.*?)<\/dt><dd>(.*?)<\/dd>/g)),
    headings: all(/<h2>(.*?)<\/h2>/g).flat(),
    children: [...children.matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row]) => cells(row as string)),
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
    expect(headings).toEqual(['Accuracy by child', 'The best network', 'Children', 'Settings']);
    expect(children).toEqual([
      ['child', 'accuracy', 'validation loss', 'parameters', 'multiply-adds', 'latency', 'answers'],
      ['1', '25.00%', '0.3123', '58,122', '1,234,567', '3.142', '[0,0,0,[]]'],
      ['2', 'failed', '', '', '', '', 'diverged'],
      ['3', '75.00%', '0.3123', '58,122', '1,234,567', '3.142', '[2,0,0,[]]'],
    ]);
    expect(network).toContain('<svg');
    expect(curve).toContain('Accuracy by child');
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
      { event: 'result', trial: number, status: 'ok', measures: { accuracy: value }, cost: 1 },
    ];
    const events = [
      begin as JournalEvent,
      ...trial(0, { epochs: 1 }, 0.25),
      ...trial(1, { epochs: 1 }, 0.5),
      { event: 'trial', trial: 2, answers: [1, 0, 0, []], seed: 1, epochs: 3, continues: 1 },
      { event: 'result', trial: 2, status: 'ok', measures: { accuracy: 0.75 }, cost: 2 },
    ] as JournalEvent[];
    const { facts, headings } = contents((await reportSearch(await read(events))).html);
    expect(facts).toMatchObject({
      trainings: '3 of 9',
      children: '2',
      cost: '4 epochs',
      'best child': '2 after 3 epochs',
    });
    expect(headings).toEqual(['Accuracy by training', 'Rungs', 'The best network', 'Trainings', 'Settings']);
  });
});
