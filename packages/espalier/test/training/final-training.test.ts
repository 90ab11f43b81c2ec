import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadTensors, nn, scope, setThreads } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { confusionIn } from '../../src/measures/confusion.js';
import { readJournal } from '../../src/runs/journal.js';
import { type JournalEvent, withoutClock } from '../../src/runs/journal-event.js';
import { RunFolder } from '../../src/runs/run-folder.js';
import { Diverged, evaluate } from '../../src/tasks/task.js';
import { type FinalTraining, trainingFiles, trainToEnd } from '../../src/training/final-training.js';
import { temporaryFolder } from '../runs/temporary-folder.js';
import { ScriptedTask, Weights } from './scripted-task.js';
import { classify, settingsOf, tinyNetwork } from './tiny-task.js';

setThreads(1);

const begin: JournalEvent = { event: 'train', architecture: 'tiny' };
const running = new AbortController().signal;

function newFolder(): string {
  const folder = temporaryFolder();
  RunFolder.begin(folder, begin);
  return folder;
}

function go(folder: string, given: Partial<FinalTraining> = {}) {
  return trainToEnd({
    folder,
    begin,
    build: tinyNetwork,
    task: classify(),
    settings: settingsOf({ epochs: 3, schedule: 'cosine' }),
    seed: 1,
    judge: 'test',
    signal: running,
    report: () => {},
    message: (text) => expect.unreachable(text),
    ...given,
  });
}

/** Stopped at a step, of whatever epoch, as by Ctrl-C. */
function stoppedAt(folder: string, epoch: number, step: number) {
  const stop = new AbortController();
  return go(folder, {
    signal: stop.signal,
    report: (at) => {
      if (at.epoch === epoch && at.step === step) stop.abort();
    },
  });
}

const journalOf = (folder: string) => readJournal(trainingFiles(folder).journal).events.map(withoutClock);
const weightsOf = (folder: string) => readFileSync(trainingFiles(folder).weights);

async function undisturbed() {
  const folder = newFolder();
  const result = await go(folder);
  return { folder, result, journal: journalOf(folder), weights: weightsOf(folder) };
}

/** Nothing is left behind of a training that ended, however it ended. */
const locksIn = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('lock'));

describe('a final training', () => {
  it('journals its epochs and its result, and saves the weights that it tested', async () => {
    const { folder, result, journal } = await undisturbed();
    expect(journal).toEqual([
      begin,
      ...[1, 2, 3].map((epoch) => ({ event: 'epoch', epoch, loss: expect.any(Number) })),
      {
        event: 'end',
        judge: 'test',
        measures: result!.measures,
        loss: result!.loss,
        details: { confusion: expect.any(Array) },
      },
    ]);
    const counts = confusionIn(journal[4]!.details)!;
    const sum = (of: typeof counts) => of.reduce((total, [, , count]) => total + count, 0);
    expect(sum(counts.filter(([actual, predicted]) => actual === predicted)) / sum(counts)).toBe(
      result!.measures.accuracy,
    );
    expect(result!.loss).toBe(journal[3]!.loss);
    expect(locksIn(folder)).toEqual([]);
    const network = tinyNetwork();
    scope(() => network.loadStateDict(loadTensors(trainingFiles(folder).weights).tensors));
    const again = evaluate(classify(), network.eval(), 'test', { size: 12 });
    expect(again.accuracy).toBe(result!.measures.accuracy);
    expect(again.loss).toBeCloseTo(result!.measures.loss as number, 6);
    network.free();
  });

  it('that is stopped and resumed writes the same journal and weights as an uninterrupted one', async () => {
    const whole = await undisturbed();
    const folder = newFolder();
    expect(await stoppedAt(folder, 1, 3)).toBeUndefined();
    expect(journalOf(folder)).toEqual([begin]);
    expect(existsSync(trainingFiles(folder).weights)).toBe(false);
    expect(await stoppedAt(folder, 2, 1)).toBeUndefined();
    expect(journalOf(folder)).toEqual(whole.journal.slice(0, 2));
    // Stopped at the last step of an epoch: that epoch was not journaled.
    expect(await stoppedAt(folder, 3, 5)).toBeUndefined();
    expect(journalOf(folder)).toEqual(whole.journal.slice(0, 3));
    expect(await go(folder)).toEqual(whole.result);
    expect(journalOf(folder)).toEqual(whole.journal);
    expect(weightsOf(folder)).toEqual(whole.weights);
  });

  it('resumes after its last epoch, not from the start', async () => {
    const folder = newFolder();
    await stoppedAt(folder, 3, 1);
    const epochs = new Set<number>();
    await go(folder, { report: ({ epoch }) => epochs.add(epoch) });
    expect([...epochs]).toEqual([3]);
  });

  it('that was killed between journal and checkpoint repeats the epoch with the same result', async () => {
    const whole = await undisturbed();
    const folder = newFolder();
    const { checkpoint } = trainingFiles(folder);
    await stoppedAt(folder, 2, 1);
    copyFileSync(checkpoint, `${checkpoint}.old`);
    await stoppedAt(folder, 3, 1);
    copyFileSync(`${checkpoint}.old`, checkpoint);
    expect(await go(folder)).toEqual(whole.result);
    expect(journalOf(folder)).toEqual(whole.journal);
    expect(weightsOf(folder)).toEqual(whole.weights);
  });

  it('that is run again after its end returns the same result and writes nothing', async () => {
    const { folder, result, weights } = await undisturbed();
    const journal = readFileSync(trainingFiles(folder).journal);
    expect(await go(folder)).toEqual(result);
    expect(readFileSync(trainingFiles(folder).journal)).toEqual(journal);
    expect(weightsOf(folder)).toEqual(weights);
  });

  it('starts over if the checkpoint belongs to another journal, and says so', async () => {
    const whole = await undisturbed();
    const folder = newFolder();
    const { checkpoint } = trainingFiles(folder);
    copyFileSync(trainingFiles(whole.folder).checkpoint, checkpoint);
    const messages: string[] = [];
    expect(await go(folder, { message: (text) => messages.push(text) })).toEqual(whole.result);
    expect(messages).toEqual([
      `${checkpoint}: not of this journal; the training begins again and must come to the same`,
    ]);
    expect(journalOf(folder)).toEqual(whole.journal);
  });

  it('rejects a truncated checkpoint, and runs once it is deleted', async () => {
    const folder = newFolder();
    const { checkpoint } = trainingFiles(folder);
    await stoppedAt(folder, 2, 1);
    const journal = readFileSync(trainingFiles(folder).journal);
    const whole = readFileSync(checkpoint);
    for (const size of [0, 100, whole.length - 1]) {
      writeFileSync(checkpoint, whole.subarray(0, size));
      const error = await go(folder).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(InputError);
      expect((error as Error).message).toMatch(`${checkpoint} is not a safetensors file: `);
      expect((error as Error).message).toMatch(`Delete ${checkpoint} to train from the start`);
      expect(readFileSync(trainingFiles(folder).journal)).toEqual(journal);
      expect(locksIn(folder)).toEqual([]);
    }
    rmSync(checkpoint);
    await go(folder);
    const other = await undisturbed();
    expect(journalOf(folder)).toEqual(other.journal);
    expect(weightsOf(folder)).toEqual(other.weights);
  });

  it('rejects a checkpoint of which one bit has changed', async () => {
    const folder = newFolder();
    await stoppedAt(folder, 2, 1);
    const { checkpoint } = trainingFiles(folder);
    const bytes = readFileSync(checkpoint);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(checkpoint, bytes);
    const error = await go(folder).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(`Delete ${checkpoint} to train from the start`);
  });

  it('rejects the checkpoint of another network, and says what does not fit', async () => {
    const folder = newFolder();
    await stoppedAt(folder, 2, 1);
    const other = () => new nn.Sequential(new nn.Flatten(), new nn.Linear(16, 3));
    const training = go(folder, { build: other });
    await expect(training).rejects.toThrow(InputError);
    await expect(training).rejects.toThrow('the state does not fit the network: 1.weight is missing');
    expect(locksIn(folder)).toEqual([]);
  });

  it('saves and judges the averaged weights once it has begun to average', async () => {
    const folder = newFolder();
    // From epoch 3 on the values are worse than the first: the steps 7 to 10 are averaged, whose weights are -7 to -10.
    const task = new ScriptedTask({ gradient: [1], stepsPerEpoch: 2, values: [5, 6, 7, 8, 9, 3] });
    const result = await trainToEnd<Weights>({
      folder,
      begin,
      build: () => new Weights(1),
      task,
      settings: {
        ...settingsOf({ epochs: 5, learningRate: 1, momentum: 0, weightDecay: 0 }),
        nonMonotone: 1,
      },
      seed: 1,
      judge: 'validation',
      signal: running,
      report: () => {},
      message: (text) => expect.unreachable(text),
    });
    expect(result).toEqual({ judge: 'validation', measures: { value: 3 }, loss: expect.any(Number) });
    expect(task.evaluated.at(-1)).toEqual([-8.5]);
    scope(() => {
      const { tensors } = loadTensors(trainingFiles(folder).weights);
      expect(tensors.get('weight')?.toNumbers()).toEqual([-8.5]);
    });
    const epochs = journalOf(folder).filter(({ event }) => event === 'epoch');
    expect(epochs.map(({ measures, averaged }) => [measures, averaged])).toEqual([
      [{ value: 5 }, false],
      [{ value: 6 }, false],
      [{ value: 7 }, true],
      [{ value: 8 }, true],
      [{ value: 9 }, true],
    ]);
  });

  it('that diverges says where, and releases its folder', async () => {
    const folder = newFolder();
    const training = go(folder, { settings: settingsOf({ learningRate: 1e30 }) });
    await expect(training).rejects.toThrow(Diverged);
    expect(journalOf(folder)).toEqual([begin]);
    expect(locksIn(folder)).toEqual([]);
  });
});
