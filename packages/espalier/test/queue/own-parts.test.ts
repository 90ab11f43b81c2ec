import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { graphOf } from '../../src/modules/import-graph.js';
import { OwnParts, readOffer } from '../../src/queue/own-parts.js';
import type { Offer } from '../../src/queue/queue-message.js';
import { version } from '../../src/version.js';
import { suiteFolder } from '../cli/suite-folder.js';

const folder = suiteFolder();
const file = join(folder, 'space.ts');
writeFileSync(file, "throw new Error('it was run');\n");
const { checksum } = graphOf(file);
mkdirSync(join(folder, 'here'));

const offer = (init: Partial<Offer['init']> = {}, data = 'cifar10:/nowhere/cifar'): Offer => ({
  protocol: 1,
  version,
  run: '0123456789abcdef',
  folder: '/runs/a',
  priority: 0,
  threads: 1,
  objectives: [{ name: 'accuracy', better: 'higher' }],
  data: { name: 'cifar10', checksum: 'of the data' },
  init: {
    space: 'zoph-cnn',
    spaceOptions: {},
    task: { name: 'image-classification', data, seed: 1 },
    training: {},
    folder: '/work',
    ...init,
  },
});

describe('what an offer needs', () => {
  it('is found where the worker has it: code by its checksum, data by its kind', () => {
    const parts = new OwnParts([file], [`cifar10:${folder}/here`, 'images:/x', 'cifar10:/second']);
    const inits = parts.initsFor(offer({ space: '/other/machine/space.ts', spaceChecksum: checksum }));
    expect(inits.map(({ task }) => task.data)).toEqual([`cifar10:${folder}/here`, 'cifar10:/second']);
    expect(inits[0]).toMatchObject({ space: file, dataChecksum: 'of the data', spaceChecksum: checksum });
  });

  it('may be where the search has it, and data without a path is everywhere', () => {
    const parts = new OwnParts([], []);
    expect(parts.initsFor(offer({}, `cifar10:${folder}/here`))[0].task.data).toBe(`cifar10:${folder}/here`);
    expect(parts.initsFor(offer({}, 'mnist'))[0].task.data).toBe('mnist');
  });

  it('is named where the worker lacks it', () => {
    const parts = new OwnParts([], []);
    expect(() => parts.initsFor(offer())).toThrow(
      'data cifar10:/nowhere/cifar is not on this machine; where it is, --data cifar10:PATH says',
    );
    const foreign = { space: file, spaceChecksum: checksum };
    expect(() => parts.initsFor(offer(foreign, 'mnist'))).toThrow(
      `space ${file} is a program, and no file of --code is the same; start the worker with --code FILE`,
    );
    // A path alone would run whatever lies there.
    expect(() => parts.initsFor(offer({ space: file }, 'mnist'))).toThrow(
      `space ${file} comes without a checksum`,
    );
  });

  it('is refused on the command line of the worker where it is none', () => {
    expect(() => new OwnParts([], ['cifar10'])).toThrow("--data 'cifar10': allowed: KIND:PATH");
    expect(() => new OwnParts([join(folder, 'none.ts')], [])).toThrow('none.ts: cannot be read');
  });
});

describe('an offer', () => {
  it('of this version is read as it was written', () => {
    expect(readOffer(JSON.stringify(offer()))).toEqual(offer());
  });

  it('of another version is refused with both, whatever else it says', () => {
    const message = (needs: string) =>
      `it needs a worker of Espalier ${needs}; this is ${version}, whose results may differ`;
    const other = { protocol: 9, version: '9.9.9', children: 'elsewhere' };
    expect(() => readOffer(JSON.stringify(other))).toThrow(message('9.9.9'));
    expect(() => readOffer(JSON.stringify({ ...offer(), version: '0.0.1' }))).toThrow(message('0.0.1'));
  });

  it('that is none is refused with the place', () => {
    expect(() => readOffer('{')).toThrow('its offer is no JSON');
    expect(() => readOffer('[]')).toThrow('its offer is none of a run of Espalier');
    const extra = { ...offer(), run: '../../etc' };
    expect(() => readOffer(JSON.stringify(extra))).toThrow("its offer is wrong at 'run'");
    const code = { ...offer(), init: { ...offer().init, script: 'x' } };
    expect(() => readOffer(JSON.stringify(code))).toThrow("its offer is wrong at 'init'");
  });
});
