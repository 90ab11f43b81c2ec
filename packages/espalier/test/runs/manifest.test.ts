import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, hostname } from 'node:os';
import { join } from 'node:path';
import { fused, libtorchVersion } from '@espalier/torch';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { readJournal } from '../../src/runs/journal.js';
import { readManifest } from '../../src/runs/manifest.js';
import { RunFolder } from '../../src/runs/run-folder.js';
import { version } from '../../src/version.js';
import { temporaryFolder } from './temporary-folder.js';

describe('a manifest', () => {
  test('is written when a run begins, and has the machine, the versions, the command line and every setting', () => {
    const { manifest } = RunFolder.begin(join(temporaryFolder(), 'run'), {
      event: 'train',
      seed: 7,
      threads: 2,
      dataChecksum: 'ab12',
      training: { epochs: 3 },
    });
    const { begun, environment, settings } = readManifest(manifest) as NonNullable<
      ReturnType<typeof readManifest>
    >;
    expect(begun).toMatchObject({ host: hostname(), folder: process.cwd(), command: process.argv });
    expect(environment).toMatchObject({
      espalier: version,
      node: process.version,
      libtorch: libtorchVersion(),
      instructionSet: fused.instructionSet(),
      cpu: cpus()[0]?.model.trim(),
    });
    expect(environment.libtorchBuild[0]).toMatch(/^PyTorch built with/);
    expect(settings).toEqual({ seed: 7, threads: 2, dataChecksum: 'ab12', training: { epochs: 3 } });
  });

  test('leaves the journal without a trace of the machine outside its clock', () => {
    const { journal } = RunFolder.begin(join(temporaryFolder(), 'run'), { event: 'train', seed: 7 });
    const [begin] = readJournal(journal).events;
    expect(Object.keys(begin as object)).toEqual(['event', 'seed', 'clock']);
  });

  test('may be missing, but must not be broken', () => {
    const file = join(temporaryFolder(), 'manifest.json');
    expect(readManifest(file)).toBeUndefined();
    writeFileSync(file, '{"begun":');
    expect(() => readManifest(file)).toThrow(InputError);
    writeFileSync(file, '{"begun":{}}');
    expect(() => readManifest(file)).toThrow(`${file}: not a manifest: `);
    expect(readFileSync(file, 'utf8')).toBe('{"begun":{}}');
  });
});
