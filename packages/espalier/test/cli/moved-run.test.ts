import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setThreads } from '@espalier/torch';
import { beforeAll, describe, expect, it } from 'vitest';
import { addExport } from '../../src/cli/export.js';
import { addInspect } from '../../src/cli/inspect.js';
import { addPredict } from '../../src/cli/predict.js';
import { addResume } from '../../src/cli/resume.js';
import { addSearch } from '../../src/cli/search.js';
import { addShow } from '../../src/cli/show.js';
import { addTrain } from '../../src/cli/train.js';
import { weightSharingSearch } from '../../src/kinds/weight-sharing.js';
import { writeImageFolders } from '../data/image-files.js';
import { journalOf } from './command.js';
import { printed, refusal, spoken } from './printed.js';
import { suiteFolder } from './suite-folder.js';

setThreads(1);

const folder = suiteFolder();
const words = (text: string) => text.split(' ');
const small = words('--channels 2 --layers 3 --batch-size 8 --threads 1');
const at = (...path: string[]) => join(folder, ...path);

let journal: string[];
let weights: Buffer;

/** Takes the project to another place, and what the training has written after its first epoch away. */
function moveKilled(to: string): void {
  process.chdir(folder);
  renameSync(project, at(to));
  project = at(to);
  const lines = readFileSync(join(project, 'trained', 'journal.jsonl'), 'utf8').split('\n');
  writeFileSync(join(project, 'trained', 'journal.jsonl'), `${lines.slice(0, 2).join('\n')}\n`);
  rmSync(join(project, 'trained', 'weights.safetensors'), { force: true });
}

let project = at('project');

/** Changes one bit in the middle of a file while something is done. */
async function flipped<T>(file: string, body: () => Promise<T>): Promise<T> {
  const bytes = readFileSync(file);
  const changed = Buffer.from(bytes);
  const place = Math.floor((3 * bytes.length) / 4);
  changed.writeUInt8((changed[place] as number) ^ 4, place);
  writeFileSync(file, changed);
  try {
    return await body();
  } finally {
    writeFileSync(file, bytes);
  }
}

beforeAll(async () => {
  mkdirSync(project);
  await writeImageFolders(join(project, 'data'), [6, 6, 6]);
  process.chdir(project);
  await printed(addTrain, [
    ...words('train darts-v2 --data images:data --image-size 16 --out trained --epochs 1'),
    ...words('--set auxiliaryWeight=0'),
    ...small,
  ]);
  journal = journalOf('trained');
  weights = readFileSync(join('trained', 'weights.safetensors'));
  await printed(addSearch, [
    ...words('search --space darts-cnn --strategy darts --data images:data --image-size 16 --out searched'),
    ...words('--channels 2 --layers 3 --epochs 1 --batch-size 4 --threads 1 --set augment=false'),
  ]);
}, 120_000);

describe('a training of what a search has found', () => {
  it('has the data, the image size and the augmentation of the search, and says what differs', async () => {
    const { stderr } = await spoken(addTrain, [
      ...words('train searched --out inherited --epochs 2 --set auxiliaryWeight=0 --set cutout=2'),
      ...small,
    ]);
    const { task, training } = JSON.parse(journalOf('inherited')[0] as string);
    expect(task).toEqual({ name: 'image-classification', data: 'images:data', imageSize: 16, seed: 1 });
    // Those of the paper are kept.
    expect(training).toMatchObject({ augment: false, cutout: 2, epochs: 2, weightDecay: 3e-4, clip: 5 });
    expect(stderr).toContain(
      'note: otherwise than in searched (its value in brackets): epochs 2 (1), batchSize 8 (4), cutout 2 (0)\n',
    );
  });

  it('needs data where there is no run that would say it', async () => {
    expect(await refusal(addTrain, words('train darts-v2 --out nothing'))).toMatch(
      /^--data is missing: 'darts-v2' is no run, which would say it; allowed: mnist, cifar10:DIR,/,
    );
    expect(existsSync('nothing')).toBe(false);
  });
});

describe('a training that was killed, and moved with its data', () => {
  it('asks where the data is, takes no other, and goes on to the same bytes', async () => {
    moveKilled('elsewhere');
    const resume = ['resume', 'elsewhere/trained'];
    const lost = await refusal(addResume, resume);
    expect(lost).toContain(`${at('data')}: does not exist; expected a folder with the folders train and val`);
    expect(lost).toMatch(/; where the data of elsewhere\/trained is now, --data KIND:PATH says$/);
    await writeImageFolders(at('other'), [6, 6, 5]);
    expect(await refusal(addResume, [...resume, '--data', 'images:other'])).toBe(
      '--data images:other: not the data of elsewhere/trained: its checksum is another',
    );
    await printed(addResume, [...resume, '--data', 'images:elsewhere/data']);
    expect(journalOf('elsewhere/trained')).toEqual(journal);
    expect(readFileSync('elsewhere/trained/weights.safetensors').equals(weights)).toBe(true);
  });

  it('is searched like again with the same data only, wherever that is', async () => {
    const again = (out: string, data: string) =>
      weightSharingSearch.beginAgain(join(project, 'searched'), out, { seed: 5, data });
    await expect(again('not-again', 'images:other')).rejects.toThrow(
      `--data images:other: not the data of ${join(project, 'searched')}: its checksum is another`,
    );
    expect(existsSync('not-again')).toBe(false);
    await again('again', 'images:elsewhere/data');
    const { seed, task } = JSON.parse(journalOf('again')[0] as string);
    expect([seed, task.seed, task.data]).toEqual([5, 5, `images:${join(project, 'data')}`]);
  });

  it('needs no --data in a working folder that has the data at the same path', async () => {
    moveKilled('third');
    process.chdir(project);
    await printed(addResume, ['resume', 'trained']);
    expect(journalOf('trained')).toEqual(journal);
  });

  it('is not resumed from a checkpoint, nor used with weights, of which one bit is another', async () => {
    moveKilled('fourth');
    process.chdir(project);
    await flipped('trained/checkpoint.safetensors', async () => {
      expect(await refusal(addResume, ['resume', 'trained'])).toBe(
        'trained/checkpoint.safetensors is damaged: its checksum is not that of the file that was written. ' +
          'Delete trained/checkpoint.safetensors to train from the start',
      );
    });
    await printed(addResume, ['resume', 'trained']);
    await flipped('trained/weights.safetensors', async () => {
      expect(await refusal(addPredict, words('predict trained --input data/val/bee/only.jpeg'))).toBe(
        'trained/weights.safetensors is damaged: its checksum is not that of the file that was written',
      );
    });
  });

  it('says what of the machine is another than when it was begun', async () => {
    const manifest = JSON.parse(readFileSync('trained/manifest.json', 'utf8'));
    const { libtorch, cores } = manifest.environment;
    const text = JSON.stringify({
      ...manifest,
      environment: { ...manifest.environment, libtorch: '0.9.0', cores: cores + 1, node: 'v1' },
    });
    writeFileSync('trained/manifest.json', text);
    expect((await spoken(addResume, ['resume', 'trained'])).stderr).toContain(
      `note: since the run was begun, libtorch is ${libtorch} (0.9.0), cores is ${cores} (${cores + 1}), its value then in ` +
        'brackets; results may differ in their last bits\n',
    );
    writeFileSync('trained/manifest.json', JSON.stringify(manifest));
    expect((await spoken(addResume, ['resume', 'trained'])).stderr).not.toContain('since the run was begun');
  });
});

describe('a trained network', () => {
  it('is used, shown, inspected and exported where neither data nor code is', async () => {
    renameSync('data/val/bee/only.jpeg', 'bee.jpeg');
    rmSync('data', { recursive: true });
    const { json: _, ...predicted } = JSON.parse(
      await printed(addPredict, words('predict trained --input bee.jpeg --json')),
    );
    expect(predicted).toMatchObject({
      input: { channels: 3, height: 16, width: 16, classes: 3 },
      names: ['ant', 'bee', 'cat'],
    });
    expect(await printed(addShow, ['show', 'trained'])).toMatch(/^trained: trained; test accuracy/);
    expect(await printed(addInspect, ['inspect', 'trained'])).toContain('image (3 x 16 x 16)');
    await printed(addExport, words('export trained --format onnx --out network.onnx'));
    const onnx = readFileSync('network.onnx').toString('latin1');
    expect(onnx).toContain('["ant","bee","cat"]');
    expect(onnx).toContain('{"channels":3,"height":16,"width":16,"classes":3}');
    await printed(addExport, words('export trained --format pytorch --out network.py'));
    expect(readFileSync('network.py', 'utf8')).toContain(
      `
METADATA = {
    "space": "darts-cnn",
    "task": "image-classification",
    "input": {"channels": 3, "height": 16, "width": 16, "classes": 3},
    "classes": ["ant", "bee", "cat"],
    "mean": [0.485, 0.456, 0.406],
    "standardDeviation": [0.229, 0.224, 0.225],
    "resized": true,
}
`.replace('true', 'True'),
    );
  });
});
