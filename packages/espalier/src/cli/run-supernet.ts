import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { architectureFile, foundBy } from '../experiments/found-architecture.js';
import { continueSupernetRun, readSupernetRun } from '../experiments/supernet-run.js';
import type { Json } from '../json.js';
import { duration, percent } from '../reports/figures.js';
import { reportSupernet } from '../reports/supernet-report.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { INTERRUPTED, interruptible } from './interruption.js';
import type { Terminal } from './terminal.js';

/** What a search with shared weights came to, for `--json`. */
export interface SupernetSummary {
  readonly run: string;
  readonly status: 'finished' | 'interrupted' | 'unfinished';
  readonly strategy: string;
  readonly epochs: number;
  readonly measure: 'accuracy' | 'perplexity';
  /** Of the choice where the strategy measures it, or of the supernet after the last epoch. */
  readonly value: number | null;
  readonly architecture: unknown;
}

const LINE_EVERY_MS = 200;

/** Searches from where the folder's journal ends, shows it, and writes what it has found. */
export async function runSupernet(path: string, terminal: Terminal): Promise<SupernetSummary> {
  const interrupt = interruptible(terminal);
  const begun = performance.now();
  let shown = 0;
  let stepsBefore: number | undefined;
  let best = '';
  const live = (text: () => string) => {
    const now = performance.now();
    if (!terminal.isLive || now - shown < LINE_EVERY_MS) return;
    shown = now;
    terminal.live(text());
  };
  const { settings, measure, epochs: already } = await readSupernetRun(path);
  if (already.length > 0)
    terminal.line(`${path}: going on after ${already.length} of ${settings.strategyOptions.epochs} epochs`);
  let rate = 0;
  try {
    const finished = await continueSupernetRun(path, {
      signal: interrupt.signal,
      message: (text) => terminal.line(text),
      step({ epoch, step, stepsPerEpoch, loss }, epochs) {
        const done = (epoch - 1) * stepsPerEpoch + step;
        stepsBefore ??= done - 1;
        rate = ((done - stepsBefore) * 1000) / (performance.now() - begun);
        live(
          () =>
            `epoch ${epoch} of ${epochs}, step ${step} of ${stepsPerEpoch}: loss ${loss.toFixed(4)}, ` +
            `${rate.toFixed(1)} steps a second, ${duration((epochs * stepsPerEpoch - done) / rate)} left${best}`,
        );
      },
      epochEnded(event) {
        const value = event[measure];
        if (typeof value === 'number') best = `, ${describeMeasure(measure, value)}`;
        terminal.line(
          `epoch ${event.epoch}: training loss ${(event.loss as number).toFixed(4)}` +
            `${typeof value === 'number' ? `, supernet ${describeMeasure(measure, value)}` : ''}` +
            `, ${rate.toFixed(1)} steps a second${describeSkips(event)}`,
        );
        if (typeof event.warning === 'string') terminal.line(`warning: ${event.warning}`);
      },
      choice: ({ done, of, what }) => live(() => `choosing: ${done} of ${of}, ${what}`),
    });
    terminal.settle();
    if (!finished) process.exitCode = INTERRUPTED;
    const summary = await writeSupernetResult(path);
    return finished ? summary : { ...summary, status: 'interrupted' };
  } finally {
    interrupt.done();
  }
}

function describeSkips({ skips }: JournalEvent): string {
  if (typeof skips !== 'object' || skips === null) return '';
  const counts = Object.entries(skips as Record<string, Json>).map(([cell, count]) => `${count} in ${cell}`);
  return `, skip connections: ${counts.join(', ')}`;
}

function describeMeasure(measure: SupernetSummary['measure'], value: number): string {
  return measure === 'accuracy'
    ? `validation accuracy ${percent(value)}`
    : `validation perplexity ${value.toFixed(2)}`;
}

/** What the journal of a search says it has come to. */
export async function readSupernetSummary(path: string): Promise<SupernetSummary> {
  const run = await readSupernetRun(path);
  const { settings, measure, epochs, end } = run;
  const value = (end?.[measure] === undefined ? epochs.at(-1) : end)?.[measure];
  const found = end !== undefined || epochs.at(-1)?.architecture !== undefined;
  return {
    run: path,
    status: end === undefined ? 'unfinished' : 'finished',
    strategy: settings.strategy,
    epochs: epochs.length,
    measure,
    value: typeof value === 'number' ? value : null,
    architecture: found ? architectureFile(foundBy(run, path)) : null,
  };
}

/**
 * Writes what a search has come to into its folder: report.html, and of the architecture, where there is one, best.json
 * and best.svg.
 */
export async function writeSupernetResult(path: string): Promise<SupernetSummary> {
  const summary = await readSupernetSummary(path);
  const report = reportSupernet(await readSupernetRun(path));
  writeFileSync(join(path, 'report.html'), report.html);
  if (report.cells !== undefined) writeFileSync(join(path, 'best.svg'), report.cells);
  if (summary.architecture !== null)
    writeFileSync(join(path, 'best.json'), `${JSON.stringify(summary.architecture, null, 2)}\n`);
  return summary;
}

/** The summary for people. */
export function describeSupernet(summary: SupernetSummary): string {
  const { run, status, strategy, epochs, measure, value, architecture } = summary;
  const lines = [`${run}: ${status}, ${strategy} after ${epochs} epochs`];
  if (value !== null) lines.push(`  ${describeMeasure(measure, value)} with the shared weights`);
  if (architecture !== null) lines.push(`  architecture ${join(run, 'best.json')}`);
  lines.push(`  report ${join(run, 'report.html')}`);
  if (status !== 'finished') lines.push(`go on with: espalier resume ${run}`);
  return lines.join('\n');
}
